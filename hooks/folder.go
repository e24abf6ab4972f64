package hooks

import (
	"strings"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/datafolder"
)

// bindFolder makes what a program stores readable by its owner alone, from the first file on, and lets the program
// start although its logs are damaged. A folder that was open before is closed to others; what cannot be closed is
// left to the operator, and doctor reports it.
func (s *Social) bindFolder() {
	if _, ok := s.app.(*pocketbase.PocketBase); !ok {
		return // umask is the whole process's, which is a test's here
	}
	s.app.OnBootstrap().Bind(&hook.Handler[*core.BootstrapEvent]{Priority: firstPriority, Func: func(e *core.BootstrapEvent) error {
		datafolder.KeepPrivate()
		closed, closing := datafolder.CloseToOthers(e.App.DataDir())
		aside, setting := datafolder.SetAsideDamagedLogs(e.App.DataDir(), openDatabase, time.Now())
		if err := e.Next(); err != nil {
			return err
		}
		if len(closed) > 0 {
			e.App.Logger().Warn("the data folder was open to other users of the machine, and is no longer", "paths", strings.Join(closed, " "))
		}
		if aside != "" {
			e.App.Logger().Error("the logs were damaged: they are set aside, and new ones begun", "file", aside)
		}
		for _, err := range []error{closing, setting} {
			if err != nil {
				e.App.Logger().Error("the data folder is not in order", "err", err)
			}
		}
		return nil
	}})
}
