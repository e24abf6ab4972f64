package hooks

import (
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/setup"
)

// bindAppURL makes the application URL of PocketBase's settings follow the address that the server listens on, until
// the operator has set one. Every link of ours and of PocketBase's mails begins with it. Only the settings in memory
// follow. What is stored stays unset, whoever saves other settings, so the URL is right again at the next start on
// another address.
func (s *Social) bindAppURL() {
	var reload sync.Mutex // another process that saves settings has them reloaded here, twice at a time if it saves twice
	s.app.OnSettingsReload().Bind(&hook.Handler[*core.SettingsReloadEvent]{Priority: lastPriority, Func: func(e *core.SettingsReloadEvent) error {
		reload.Lock()
		defer reload.Unlock()
		if err := e.Next(); err != nil {
			return err
		}
		setup.FollowListenURL(e.App)
		return nil
	}})
	for _, saved := range []*hook.TaggedHook[*core.ModelEvent]{
		s.app.OnModelCreateExecute((&core.Settings{}).TableName()), s.app.OnModelUpdateExecute((&core.Settings{}).TableName()),
	} {
		saved.BindFunc(func(e *core.ModelEvent) error {
			if settings, ok := e.Model.(*core.Settings); ok {
				defer setup.UnfollowListenURL(e.App, settings)()
			}
			return e.Next()
		})
	}
}
