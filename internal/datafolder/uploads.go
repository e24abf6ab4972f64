package datafolder

import (
	"fmt"
	"os"
	"path/filepath"
)

// UploadsDir is where uploads wait until they are stored. It is within the data folder: on the disk whose free space
// /readyz checks, and not in a /tmp that may be memory. PocketBase's own folder for temporary files is emptied by
// every command that begins.
const UploadsDir = ".uploads"

func uploadsDirIn(dataDir string) (string, error) {
	return filepath.Abs(filepath.Join(dataDir, UploadsDir))
}

// MakeUploadsDir makes net/http, and all else in this process that asks for a temporary file, use the data folder,
// unless the operator has set TMPDIR. Files that a process left when it died are deleted. The caller must hold the
// folder's lock.
func MakeUploadsDir(dataDir string) error {
	dir, err := uploadsDirIn(dataDir)
	if err != nil {
		return fmt.Errorf("make a folder for uploads: %w", err)
	}
	if chosen := os.Getenv("TMPDIR"); chosen != "" && chosen != dir {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("empty the folder for uploads: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a folder for uploads: %w", err)
	}
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return fmt.Errorf("use %s for uploads: %w", dir, err)
	}
	return nil
}

// LeaveUploadsDir undoes what MakeUploadsDir did to the process, which may outlive its service, and the folder.
func LeaveUploadsDir(dataDir string) {
	if dir, err := uploadsDirIn(dataDir); err == nil && os.Getenv("TMPDIR") == dir {
		_ = os.Unsetenv("TMPDIR") // fails for impossible names alone
	}
}
