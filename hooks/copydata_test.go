package hooks_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
)

// copyDataDir copies the data folder of a service that runs to dir, where another one may be started. Not os.CopyFS, which
// fails if a file goes meanwhile: PocketBase deletes the files of a deleted record in the background.
func copyDataDir(t *testing.T, s *hookstest.Service, dir string) {
	t.Helper()
	execSQL(t, s.App, "PRAGMA wal_checkpoint(TRUNCATE)")
	source := os.DirFS(s.App.DataDir())
	err := fs.WalkDir(source, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.MkdirAll(filepath.Join(dir, path), 0o700)
		}
		var data []byte
		if err == nil {
			data, err = fs.ReadFile(source, path)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		return os.WriteFile(filepath.Join(dir, path), data, 0o600)
	})
	if err != nil {
		t.Fatal("copy the data folder:", err)
	}
}
