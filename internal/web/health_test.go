package web

import (
	"runtime"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// TestAFullDiskIsNotReady looks at a folder on /proc, a file system without a free block.
func TestAFullDiskIsNotReady(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	for dir, want := range map[string]string{"/proc": "the disk is full", t.TempDir(): "", "/missing": "the data folder cannot be looked at"} {
		h := &Health{app: core.NewBaseApp(core.BaseAppConfig{DataDir: dir})}
		got := ""
		if err := h.checkFreeSpace(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("with the data in %s: %q, want %q", dir, got, want)
		}
	}
}
