package hooks

import (
	"os"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/metrics"
	"github.com/doubletap/doubletap/internal/web"
)

// bindFastReads has the commonest reads answered by fastpath.Reads. It must come after bindFastPath, whose tokens it
// shares.
func (s *Social) bindFastReads() {
	off := os.Getenv("DOUBLETAP_FASTPATH") == "off"
	reads := &fastpath.Reads{Reader: s.listReader, MaxBytes: web.MaxAnswerBytes / 4, CheckQuery: checkQuestion}
	s.app.OnRecordAfterUpdateSuccess("posts").BindFunc(func(e *core.RecordEvent) error {
		if was := e.Record.Original(); was.GetString("author") != e.Record.GetString("author") || was.GetString("created") != e.Record.GetString("created") {
			s.listReader.ForgetRecentPosts()
		}
		return e.Next()
	})
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: lastPriority, Func: func(e *core.RequestEvent) error {
			ask, ok := fastpath.ReadOf(e)
			if !ok {
				if ask.Collection != "" && fastpath.IsUser(e.Auth) {
					metrics.ForApp(s.app).CountSkip(e.Request.Method+" "+ask.Collection, string(fastpath.UnknownQuery))
				}
				return e.Next()
			}
			began, reason := time.Now(), fastpath.TurnedOff
			if !off {
				bound, err := s.hooks.ofReads(e.App, ask.Collection)
				switch {
				case err != nil:
					reason = fastpath.ReadFailed
				case len(bound) > 0:
					reason = fastpath.OwnersHooks
				default:
					if reason, err = reads.Answer(e, ask, began); reason == "" {
						return err
					}
				}
			}
			metrics.ForApp(s.app).CountSkip(e.Request.Method+" "+ask.Collection, string(reason))
			if err := s.reloadFastUser(e); err != nil {
				return err
			}
			if err := e.Next(); err != nil {
				return err
			}
			metrics.ForApp(s.app).ObserveRead(ask.Collection, metrics.GeneralPath, time.Since(began))
			return nil
		}})
		return e.Next()
	})
}
