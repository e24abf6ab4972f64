//go:build !linux

package cli

import (
	"os"
	"path/filepath"
)

// openFolder is a folder of which the names are read, and the folders in it.
type openFolder struct{ file *os.File }

func openRootFolder(path string) (*openFolder, error) {
	file, err := os.Open(path) // #nosec G304 -- a folder of the storage
	return &openFolder{file}, err
}

func (f *openFolder) pathOf(name string) string { return filepath.Join(f.file.Name(), name) }

func (f *openFolder) openSubfolder(name string) (*openFolder, error) {
	return openRootFolder(f.pathOf(name))
}

// readNames returns the names in the folder, in no order.
func (f *openFolder) readNames() ([]string, error) { return f.file.Readdirnames(-1) }

func (f *openFolder) close() error { return f.file.Close() }
