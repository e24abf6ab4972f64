package hooks

import (
	"os"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/metrics"
	"github.com/doubletap/doubletap/internal/web"
)

// readHooks count the handlers of the hooks that a read runs on PocketBase's general path and not on the fast path.
var readHooks = []func(core.App) int{
	func(a core.App) int { return a.OnRecordsListRequest().Length() },
	func(a core.App) int { return a.OnRecordViewRequest().Length() },
	func(a core.App) int { return a.OnRecordEnrich().Length() },
}

const enrichHookIndex = 2 // where OnRecordEnrich is in readHooks

// bindFastReads has the commonest reads answered by fastpath.Reads. It must come after bindFastPath, whose tokens it
// shares. before are the counts of handlers from when Bind began.
func (s *Social) bindFastReads(before []int) {
	off := os.Getenv("DOUBLETAP_FASTPATH") == "off"
	reads := &fastpath.Reads{Reader: s.listReader, MaxBytes: web.MaxAnswerBytes / 4, CheckQuery: checkQuestion}
	s.app.OnRecordAfterUpdateSuccess("posts").BindFunc(func(e *core.RecordEvent) error {
		if was := e.Record.Original(); was.GetString("author") != e.Record.GetString("author") || was.GetString("created") != e.Record.GetString("created") {
			s.listReader.ForgetRecentPosts()
		}
		return e.Next()
	})
	ours := handlerCounts(s.app, readHooks)
	for i := range ours {
		ours[i] -= before[i]
	}
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		shipped, err := shippedHandlerCounts(readHooks, ours)
		if err != nil {
			return err
		}
		// 4 are enrichPosts, enrichUsers and hidePrivateFields, which enrichmentKeys knows, and web.RequireWholeAnswer,
		// which adds nothing
		s.knownEnrichers = shipped[enrichHookIndex] - ours[enrichHookIndex] + 4
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
				reason = fastpath.OwnersHooks
				if slices.Equal(handlerCounts(s.app, readHooks), shipped) {
					var err error
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
