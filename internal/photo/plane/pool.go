package plane

import (
	"math/bits"
	"sync"
)

// bytePools hold planes between photos. One photo takes two dozen of them, and allocating them anew would be most of
// its garbage.
var bytePools [bits.UintSize * 4]sync.Pool

// poolClass returns the pool for n bytes and the size of the slices in it. There are four sizes between a power of
// two and the next, so that at most a quarter of a plane is wasted.
func poolClass(n int) (index, size int) {
	n = max(n, 1<<10)
	step := bits.Len(uint(n-1)) - 3
	size = (n + 1<<step - 1) >> step << step
	return bits.Len(uint(size-1))*4 + (size-1)>>step&3, size
}

func getBytes(n int) []byte {
	i, size := poolClass(n)
	if b, ok := bytePools[i].Get().(*[]byte); ok && cap(*b) >= n {
		return (*b)[:n]
	}
	return make([]byte, n, size)
}

func putBytes(b []byte) {
	if cap(b) == 0 {
		return
	}
	b = b[:cap(b)]
	if i, size := poolClass(len(b)); size == len(b) {
		bytePools[i].Put(&b)
	}
}

var wordPool sync.Pool

func getWords(n int) []uint64 {
	if b, ok := wordPool.Get().(*[]uint64); ok && cap(*b) >= n {
		return (*b)[:n]
	}
	return make([]uint64, n)
}

func putWords(b []uint64) {
	wordPool.Put(&b)
}
