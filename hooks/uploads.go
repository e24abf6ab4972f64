package hooks

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pocketbase/pocketbase/core"
)

// uploadsDir is where uploads wait until they are stored. It is within the data folder: on the disk whose free space
// /readyz checks, and not in a /tmp that may be memory. PocketBase's own folder for temporary files is emptied by
// every command that begins.
const uploadsDir = ".uploads"

// bindUploads keeps uploads out of backups, and keeps a restore from moving them away.
func (s *Social) bindUploads() {
	exclude := func(e *core.BackupEvent) error {
		e.Exclude = append(e.Exclude, uploadsDir)
		return e.Next()
	}
	s.app.OnBackupCreate().BindFunc(exclude)
	s.app.OnBackupRestore().BindFunc(exclude)
	s.app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error { // the process may outlive its service, and the folder
		if dir, err := uploadsDirOf(s.app.DataDir()); err == nil && os.Getenv("TMPDIR") == dir {
			_ = os.Unsetenv("TMPDIR") // fails for impossible names alone
		}
		return e.Next()
	})
}

func uploadsDirOf(dataDir string) (string, error) {
	return filepath.Abs(filepath.Join(dataDir, uploadsDir))
}

// makeUploadsDir makes net/http, and all else in this process that asks for a temporary file, use the data folder,
// unless the operator has set TMPDIR. Files that a process left when it died are deleted. The caller must hold the
// folder's lock.
func makeUploadsDir(dataDir string) error {
	dir, err := uploadsDirOf(dataDir)
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
