//go:build !unix

package heic

import "github.com/tetratelabs/wazero/experimental"

// reserve leaves the module's memory to the runtime, which still bounds it.
func reserve(uint64) experimental.MemoryAllocator { return nil }
