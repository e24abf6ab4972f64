package reconcile

import (
	"hash/maphash"
	"math/bits"
)

// memory is what an examination remembers of the rows that it has read, so that the rows of other tables are compared
// with it and not looked up one by one: in SQLite a lookup takes twenty times as long. Keys are fingerprints of 64 bits
// with a seed of the process's own. It is forgotten with the examination.
type memory struct {
	values  map[string]map[uint64]struct{} // by kind: who likes what, who is there
	numbers map[string]map[uint64]uint64   // by kind, of a value: which hashtags and words a post has
	room    int                            // how many more entries it takes
	whole   map[string]bool                // the tables of which it remembers all rows
}

// How many entries an examination remembers, of some 30 bytes each. What it does not remember SQL is asked about.
const (
	maxRemembered       = 4_000_000
	maxRememberedServer = 1_000_000 // beside requests
)

func newMemory(room int) *memory {
	return &memory{values: map[string]map[uint64]struct{}{}, numbers: map[string]map[uint64]uint64{}, whole: map[string]bool{}, room: room}
}

var seed = maphash.MakeSeed()

// fingerprint returns a number for the values in their order; two lists of values share one by an accident of 1 in 2^64.
func fingerprint(values ...string) (sum uint64) {
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
		known := m.values[kind]
		if known == nil {
			known = map[uint64]struct{}{}
			m.values[kind] = known
		}
		known[fingerprint(values...)] = struct{}{}
	}
}

func (m *memory) has(kind string, values ...string) bool {
	_, known := m.values[kind][fingerprint(values...)]
	return known
}

// add adds n to the number of the kind and value.
func (m *memory) add(n uint64, kind, value string) {
	numbers, key := m.numbers[kind], fingerprint(value)
	if numbers == nil {
		numbers = map[uint64]uint64{}
		m.numbers[kind] = numbers
	}
	if _, known := numbers[key]; known || m.hasRoom() {
		numbers[key] += n
	}
}

func (m *memory) number(kind, value string) uint64 { return m.numbers[kind][fingerprint(value)] }
