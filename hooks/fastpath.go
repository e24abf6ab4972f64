package hooks

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/metrics"
	"github.com/doubletap/doubletap/internal/web"
)

// The fast path answers the commonest writes as PocketBase's general path would, but with a few statements, in a
// transaction that all who wait share. It asks the rules as an admin has them now. Whatever is not the plain case takes
// the general path: a rule that depends on more than the row and the caller, a field that an admin has changed, or a
// record or model hook that an owner has bound to likes or to all collections. /metrics counts these by their reason.

// likesPerLogLine is how many successful likes share one log line; PocketBase would write a row for each.
const likesPerLogLine = 1000

// bindFastPath must come last in Bind, but for bindFastReads.
func (s *Social) bindFastPath() {
	figures, off := metrics.ForApp(s.app), os.Getenv("DOUBLETAP_FASTPATH") == "off"
	forgetTokens := func(e *core.RecordEvent) error {
		s.tokens.ForgetUser(e.Record.Id)
		return e.Next()
	}
	s.app.OnRecordAfterUpdateSuccess("users").BindFunc(forgetTokens)
	s.app.OnRecordAfterDeleteSuccess("users").BindFunc(forgetTokens)
	var served atomic.Int64
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Unbind(apis.DefaultLoadAuthTokenMiddlewareId) // which knows of no session
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: apis.DefaultLoadAuthTokenMiddlewarePriority, Func: web.SignInCaller})
		if !off {
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: apis.DefaultLoadAuthTokenMiddlewarePriority - 2, Func: s.loadFastUser})
		}
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: lastPriority, Func: func(e *core.RequestEvent) error {
			if _, ok := fastpath.CutLikesPath(e.Request); !ok {
				return e.Next()
			}
			began, path := time.Now(), metrics.FastPath
			request, reason := s.likeRules.ParseRequest(e)
			switch {
			case off:
				reason = fastpath.TurnedOff
			case reason == "" && len(s.hooks.ofWrites(request.Likes)) > 0:
				reason = fastpath.OwnersHooks
			}
			var err error
			switch {
			case reason != "":
			case request.ID == "":
				reason, err = s.serveFastLike(e, request)
			default:
				err = s.serveFastUnlike(e, request)
			}
			if reason != "" {
				figures.CountSkip(e.Request.Method+" like", string(reason))
				path, err = metrics.GeneralPath, s.reloadFastUser(e)
				if err == nil {
					err = e.Next()
				}
			}
			if err != nil {
				return err
			}
			took := time.Since(began)
			figures.ObserveLike(e.Request.Method, path, took)
			if served.Add(1)%likesPerLogLine == 0 {
				s.app.Logger().Info("one of many likes", "method", e.Request.Method, "path", path, "ms", took.Seconds()*1000, "of", likesPerLogLine)
			}
			return nil
		}})
		return e.Next()
	})
}

const rememberedTokenKey = "doubletap.remembered" // #nosec G101 -- the name of a value that a request keeps

// skipSuccessLog leaves successes out of PocketBase's log, where each is a row.
var skipSuccessLog = apis.SkipSuccessActivityLog()

// loadFastUser signs in the sender of a request that the fast path may serve: a like, an unlike or a read that it knows.
func (s *Social) loadFastUser(e *core.RequestEvent) error {
	if _, ok := fastpath.CutLikesPath(e.Request); !ok {
		if _, ok := fastpath.ReadOf(e); !ok {
			return e.Next()
		}
	}
	if token := web.BearerToken(e); token != "" && e.Auth == nil {
		if e.Auth = s.tokens.UserOf(e.App, token); e.Auth != nil {
			e.Set(rememberedTokenKey, token)
		}
	}
	return skipSuccessLog.Func(e)
}

// reloadFastUser looks the person up anew for a request that goes the general way.
func (s *Social) reloadFastUser(e *core.RequestEvent) (err error) {
	if token, _ := e.Get(rememberedTokenKey).(string); token != "" {
		e.Auth, err = web.FindByToken(e.App, token, core.TokenTypeAuth)
	}
	return fault.ForClient(err)
}
