package cli

import (
	"os"
	"path/filepath"
	"syscall"
)

// openFolder is a folder of which the names are read, and the folders in it. A folder of a record has a few names, so that
// what an os.File does beside the reading would cost as much again, and so would each folder's whole path.
type openFolder struct {
	path       string
	descriptor int
	buffer     []byte // for what the system tells of the names; all folders below a root share it
}

const folderFlags = syscall.O_RDONLY | syscall.O_DIRECTORY | syscall.O_CLOEXEC

func openRootFolder(path string) (*openFolder, error) {
	descriptor, err := syscall.Open(path, folderFlags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &openFolder{path: path, descriptor: descriptor, buffer: make([]byte, 64<<10)}, nil
}

func (f *openFolder) pathOf(name string) string { return filepath.Join(f.path, name) }

func (f *openFolder) openSubfolder(name string) (*openFolder, error) {
	descriptor, err := syscall.Openat(f.descriptor, name, folderFlags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: f.pathOf(name), Err: err}
	}
	return &openFolder{path: f.pathOf(name), descriptor: descriptor, buffer: f.buffer}, nil
}

// readNames returns the names in the folder, in no order.
func (f *openFolder) readNames() (names []string, err error) {
	for {
		n, err := syscall.ReadDirent(f.descriptor, f.buffer)
		if err == syscall.EINTR { //nolint:errorlint // a system call returns it as it is
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: f.path, Err: err}
		}
		if n <= 0 {
			return names, nil
		}
		_, _, names = syscall.ParseDirent(f.buffer[:n], -1, names)
	}
}

func (f *openFolder) close() error { return syscall.Close(f.descriptor) }
