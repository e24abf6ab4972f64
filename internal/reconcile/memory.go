package reconcile

import (
	"hash/maphash"
	"math/bits"
)

// memory is what an examination remembers of the rows that it has read, so that the rows of other tables are compared
// with it and not looked up one by one: in SQLite a lookup takes twenty times as long. Keys are fingerprints of 64 bits
// with a seed of the process's own. It is forgotten with the examination.
//
// It is one table with open addressing: a lookup reads one line of the processor's cache, where a map of Go's reads
// three, and hashes what is a hash already.
type memory struct {
	slots []slot          // a power of two of them, of which a third is empty
	used  int             // how many are not empty
	room  int             // how many more entries it takes
	whole map[string]bool // the tables of which it remembers all rows
}

// slot holds the fingerprint of a kind and values, such as who likes what, or 0 if it is empty, and a number of theirs.
type slot struct{ key, number uint64 }

// How many entries an examination remembers, of some 30 bytes each. What it does not remember SQL is asked about.
const (
	maxRemembered       = 4_000_000
	maxRememberedServer = 1_000_000 // beside requests
)

func newMemory(room int) *memory {
	return &memory{slots: make([]slot, 1<<10), whole: map[string]bool{}, room: room}
}

var seed = maphash.MakeSeed()

// fingerprint returns a number above 0 for texts in their order; two lists of texts share one by an accident of 1 in 2^64.
func fingerprint(first string, more ...string) uint64 {
	sum := maphash.String(seed, first)
	for _, text := range more {
		sum = bits.RotateLeft64(sum*0x9e3779b97f4a7c15, 31) + maphash.String(seed, text)
	}
	return max(1, sum)
}

// find returns the slot of the key, or the empty one where it would be.
func (m *memory) find(key uint64) *slot {
	for at := key; ; at++ {
		if s := &m.slots[at&uint64(len(m.slots)-1)]; s.key == key || s.key == 0 {
			return s
		}
	}
}

// add adds n to the number of the kind and values. Without room for them, the rows of their table are no longer all known.
func (m *memory) add(n uint64, kind string, values ...string) {
	key := fingerprint(kind, values...)
	s := m.find(key)
	if s.key == 0 {
		if m.room--; m.room < 0 {
			return
		}
		if m.used++; 3*m.used > 2*len(m.slots) {
			m.double()
			s = m.find(key)
		}
		s.key = key
	}
	s.number += n
}

func (m *memory) double() {
	full := m.slots
	m.slots = make([]slot, 2*len(full))
	for _, s := range full {
		if s.key != 0 {
			*m.find(s.key) = s
		}
	}
}

func (m *memory) remember(kind string, values ...string) { m.add(0, kind, values...) }

func (m *memory) has(kind string, values ...string) bool {
	return m.find(fingerprint(kind, values...)).key != 0
}

func (m *memory) number(kind, value string) uint64 { return m.find(fingerprint(kind, value)).number }
