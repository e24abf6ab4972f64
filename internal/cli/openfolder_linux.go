package cli

import (
	"os"
	"path/filepath"
	"syscall"
)

// openFolder is a folder of which the names are read, and the folders in it. A folder of a record has a few names, so that
// what an os.File does beside the reading would cost as much again, and so would each folder's whole path.
type openFolder struct {
	parent     *openFolder // nil for the root
	name       string      // the root's is its path
	descriptor int
	buffer     []byte // for what the system tells of the names; all folders below a root share it
}

const folderFlags = syscall.O_RDONLY | syscall.O_DIRECTORY | syscall.O_CLOEXEC

func openRootFolder(path string) (*openFolder, error) {
	descriptor, err := syscall.Open(path, folderFlags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &openFolder{name: path, descriptor: descriptor, buffer: make([]byte, 64<<10)}, nil
}

func (f *openFolder) pathOf(name string) string {
	name = filepath.Join(f.name, name)
	if f.parent == nil {
		return name
	}
	return f.parent.pathOf(name)
}

func (f *openFolder) openSubfolder(name string) (*openFolder, error) {
	descriptor, err := syscall.Openat(f.descriptor, name, folderFlags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: f.pathOf(name), Err: err}
	}
	return &openFolder{parent: f, name: name, descriptor: descriptor, buffer: f.buffer}, nil
}

// readNames returns the names in the folder, in no order.
func (f *openFolder) readNames() (names []string, err error) {
	names = make([]string, 0, 8) // most folders are of one record and have fewer
	for {
		n, err := syscall.ReadDirent(f.descriptor, f.buffer)
		if err == syscall.EINTR { //nolint:errorlint // a system call returns it as it is
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: f.pathOf(""), Err: err}
		}
		if n <= 0 {
			return names, nil
		}
		_, _, names = syscall.ParseDirent(f.buffer[:n], -1, names)
	}
}

func (f *openFolder) close() error { return syscall.Close(f.descriptor) }
