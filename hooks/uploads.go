package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/datafolder"
)

// bindUploads keeps uploads out of backups, and keeps a restore from moving them away.
func (s *Social) bindUploads() {
	exclude := func(e *core.BackupEvent) error {
		e.Exclude = append(e.Exclude, datafolder.UploadsDir)
		return e.Next()
	}
	s.app.OnBackupCreate().BindFunc(exclude)
	s.app.OnBackupRestore().BindFunc(exclude)
	s.app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		datafolder.LeaveUploadsDir(s.app.DataDir())
		return e.Next()
	})
}
