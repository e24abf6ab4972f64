//go:build unix

package heic

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// reserve returns an allocator that reserves most bytes for a module at once. The system provides only the pages that
// are touched and gets all back at the end. Memory that grows as a Go slice would be copied again and again, and
// exist twice meanwhile.
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

// Reallocate returns the first size bytes, or nil when fewer are reserved.
func (m *reservedMemory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.all)) {
		return nil
	}
	return m.all[:size]
}

func (m *reservedMemory) Free() { syscall.Munmap(m.all) }
