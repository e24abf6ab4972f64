//go:build unix

package heic

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// reserve returns a module's memory as one reservation of most bytes, of which
// the system gives what is touched and gets all back in the end. Grown as a Go
// slice, it would be copied again and again and be there twice meanwhile.
func reserve(most uint64) experimental.MemoryAllocator {
	return experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory {
		b, err := syscall.Mmap(-1, 0, int(most), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return &reservedMemory{}
		}
		return &reservedMemory{b}
	})
}

type reservedMemory struct{ all []byte }

// Reallocate returns the first size bytes, or nil when there are not so many.
func (m *reservedMemory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.all)) {
		return nil
	}
	return m.all[:size]
}

func (m *reservedMemory) Free() { syscall.Munmap(m.all) }
