//go:build !unix

package heic

import "github.com/tetratelabs/wazero/experimental"

// reserve returns nil: the runtime allocates the module's memory, and still bounds it.
func reserve(uint64) experimental.MemoryAllocator { return nil }
