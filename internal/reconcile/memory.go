package reconcile

import (
	"hash/maphash"
	"math/bits"
)

// memory is what an examination remembers of the rows that it has read, so that the rows of other tables are compared
// with it and not looked up one by one: in SQLite a lookup takes twenty times as long. Keys are fingerprints of 64 bits
// with a seed of the process's own. It is forgotten with the examination.
type memory struct {
	pairs   map[uint64]struct{} // of a kind with two values: who likes what, who is there
	numbers map[uint64]uint64   // of a kind with a value: how many likes a post has, which words
	trays   map[uint64]tray     // by notification
	room    int                 // how many more entries it takes
	whole   map[string]bool     // the tables of which it remembers all rows
}

// How many entries an examination remembers, of some 30 bytes each; a
// tray counts as five. What it does not remember SQL is asked about.
const (
	maxRemembered       = 4_000_000
	maxRememberedServer = 1_000_000 // beside requests
	trayRoom            = 5
)

func newMemory(room int) *memory {
	return &memory{pairs: map[uint64]struct{}{}, numbers: map[uint64]uint64{}, trays: map[uint64]tray{}, whole: map[string]bool{}, room: room}
}

var seed = maphash.MakeSeed()

// fingerprint returns a number for the values in their order; two lists of values share one by an accident of 1 in 2^64.
func fingerprint(kind string, values ...string) uint64 {
	sum := maphash.String(seed, kind)
	for _, value := range values {
		sum = bits.RotateLeft64(sum*0x9e3779b97f4a7c15, 31) + maphash.String(seed, value)
	}
	return sum
}

// hasRoom reports whether the table's next row can be remembered; if not, its rows are no longer all known.
func (m *memory) hasRoom() bool {
	m.room--
	return m.room >= 0
}

func (m *memory) remember(kind string, values ...string) {
	if m.hasRoom() {
		m.pairs[fingerprint(kind, values...)] = struct{}{}
	}
}

func (m *memory) has(kind string, values ...string) bool {
	_, known := m.pairs[fingerprint(kind, values...)]
	return known
}

// add adds n to the number of the kind and value.
func (m *memory) add(n uint64, kind, value string) {
	key := fingerprint(kind, value)
	if _, known := m.numbers[key]; known || m.hasRoom() {
		m.numbers[key] += n
	}
}

func (m *memory) number(kind, value string) uint64 { return m.numbers[fingerprint(kind, value)] }

// namedActors is how many actors a notification names, the newest ones.
const namedActors = 8

// tray is what the events of a notification say about it.
type tray struct {
	recipient uint64
	last      int64 // when the newest active event was
	active    int
	newest    [namedActors]uint32 // the actors of the newest active events; that of the nth, from 0, is at n modulo 8
	unclear   bool                // an event is another recipient's, or older than the one that was stored before it
}
