package hooks

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/metrics"
)

// The fast path answers the commonest writes as PocketBase's general path would, but with a few statements, in a
// transaction that all who wait share. Whatever is not the plain case takes the general path: a rule or a field that
// an admin has changed, or a record or model hook that an owner has bound.

// recordHooks count the handlers of the hooks that a write runs on PocketBase's general path and not on the fast
// path.
var recordHooks = []func(core.App) int{
	func(a core.App) int { return a.OnRecordCreateRequest().Length() },
	func(a core.App) int { return a.OnRecordValidate().Length() },
	func(a core.App) int { return a.OnRecordCreate().Length() },
	func(a core.App) int { return a.OnRecordCreateExecute().Length() },
	func(a core.App) int { return a.OnRecordAfterCreateSuccess().Length() },
	func(a core.App) int { return a.OnRecordAfterCreateError().Length() },
	func(a core.App) int { return a.OnRecordDeleteRequest().Length() },
	func(a core.App) int { return a.OnRecordDelete().Length() },
	func(a core.App) int { return a.OnRecordDeleteExecute().Length() },
	func(a core.App) int { return a.OnRecordAfterDeleteSuccess().Length() },
	func(a core.App) int { return a.OnRecordAfterDeleteError().Length() },
	func(a core.App) int { return a.OnRecordEnrich().Length() },
	func(a core.App) int { return a.OnModelValidate().Length() },
	func(a core.App) int { return a.OnModelCreate().Length() },
	func(a core.App) int { return a.OnModelCreateExecute().Length() },
	func(a core.App) int { return a.OnModelAfterCreateSuccess().Length() },
	func(a core.App) int { return a.OnModelAfterCreateError().Length() },
	func(a core.App) int { return a.OnModelDelete().Length() },
	func(a core.App) int { return a.OnModelDeleteExecute().Length() },
	func(a core.App) int { return a.OnModelAfterDeleteSuccess().Length() },
	func(a core.App) int { return a.OnModelAfterDeleteError().Length() },
}

func handlerCounts(app core.App, moments []func(core.App) int) []int {
	n := make([]int, len(moments))
	for i, length := range moments {
		n[i] = length(app)
	}
	return n
}

// likesPerLogLine is how many successful likes share one log line; PocketBase would write a row for each.
const likesPerLogLine = 1000

// bindFastPath must come last in Bind. before are the counts of handlers from when Bind began.
func (s *Social) bindFastPath(before []int) {
	figures, off, known := metrics.ForApp(s.app), os.Getenv("DOUBLETAP_FASTPATH") == "off", &s.tokens
	known.bindForget(s.app)
	ours := handlerCounts(s.app, recordHooks)
	for i := range ours {
		ours[i] -= before[i]
	}
	var served atomic.Int64
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		shipped, err := shippedHandlerCounts(recordHooks, ours)
		if err != nil {
			return err
		}
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: apis.DefaultLoadAuthTokenMiddlewarePriority - 1, Func: callerRead})
		if !off {
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: apis.DefaultLoadAuthTokenMiddlewarePriority - 2, Func: known.loadUser})
		}
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: lastPriority, Func: func(e *core.RequestEvent) error {
			if _, ok := cutLikesPath(e); !ok {
				return e.Next()
			}
			began, path, tap := time.Now(), metrics.FastPath, s.fastLikeHandler(e)
			if off || tap == nil || !slices.Equal(handlerCounts(s.app, recordHooks), shipped) {
				path, tap = metrics.GeneralPath, (*core.RequestEvent).Next
				if err := known.reloadUser(e); err != nil {
					return err
				}
			}
			if err := tap(e); err != nil {
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

// shippedHandlerCounts returns how many handlers the hooks have if only PocketBase and we have bound any.
func shippedHandlerCounts(moments []func(core.App) int, ours []int) ([]int, error) {
	bare := core.NewBaseApp(core.BaseAppConfig{})
	if _, err := apis.NewRouter(bare); err != nil {
		return nil, err
	}
	want := handlerCounts(bare, moments)
	for i := range want {
		want[i] += ours[i]
	}
	return want, nil
}

// cutLikesPath reports whether a request stores or takes back a like, and what follows in its path.
func cutLikesPath(e *core.RequestEvent) (rest string, ok bool) {
	if e.Request.Method != http.MethodPost && e.Request.Method != http.MethodDelete {
		return "", false
	}
	return strings.CutPrefix(e.Request.URL.Path, "/api/collections/likes/records")
}

// fastLikeHandler returns the handler of a like or unlike that the fast path can serve, else nil.
func (s *Social) fastLikeHandler(e *core.RequestEvent) func(*core.RequestEvent) error {
	rest, ok := cutLikesPath(e)
	if !ok || e.Auth == nil || e.Auth.Collection().Name != "users" || e.Request.URL.RawQuery != "" {
		return nil
	}
	likes, err := e.App.FindCachedCollectionByNameOrId("likes")
	if err != nil || !fastpath.HasShippedFields(likes) {
		return nil
	}
	switch {
	case e.Request.Method == http.MethodPost && rest == "" && isShippedRule(likes.CreateRule, fastpath.CreateRule) && !isRateLimited(e, "likes", "create"):
		if post, ok := readLikedPost(e); ok {
			return func(e *core.RequestEvent) error { return s.serveFastLike(e, likes, post) }
		}
	case e.Request.Method == http.MethodDelete && len(rest) == 16 && isShippedRule(likes.DeleteRule, fastpath.DeleteRule) && !isRateLimited(e, "likes", "delete") && !isReferenced(e.App, likes):
		return func(e *core.RequestEvent) error { return s.serveFastUnlike(e, likes, rest[1:]) }
	}
	return nil
}

func isShippedRule(rule *string, shipped string) bool { return rule != nil && *rule == shipped }

// isReferenced reports whether deleting a record of the collection may cascade. It is true if that cannot be read.
func isReferenced(app core.App, c *core.Collection) bool {
	references, err := app.FindCachedCollectionReferences(c)
	return err != nil || len(references) > 0
}

// isRateLimited reports whether one of the admin's rate limits applies to the request; PocketBase's path counts it.
func isRateLimited(e *core.RequestEvent, collection, action string) bool {
	limits := e.App.Settings().RateLimits
	if !limits.Enabled {
		return false
	}
	path := e.Request.URL.Path
	_, found := limits.FindRateLimitRule([]string{collection + ":" + action, "*:" + action, e.Request.Method + " " + path, path},
		core.RateLimitRuleAudienceAll, core.RateLimitRuleAudienceAuth)
	return found
}

// readLikedPost reads {"post": id}, perhaps with the caller as the user. ok is false for any other body, which is not
// the plain case.
func readLikedPost(e *core.RequestEvent) (post string, ok bool) {
	if n := e.Request.ContentLength; n <= 0 || n > 200 || !strings.HasPrefix(e.Request.Header.Get("Content-Type"), "application/json") {
		return "", false
	}
	text, err := io.ReadAll(e.Request.Body)
	if again, ok := e.Request.Body.(router.Rereader); ok {
		again.Reread() // for the general path
	}
	var body map[string]any
	if err != nil || json.Unmarshal(text, &body) != nil {
		return "", false
	}
	post, ok = body["post"].(string)
	user, named := body["user"]
	switch {
	case !ok, named && user != e.Auth.Id, len(body) > 2, len(body) == 2 && !named:
		return "", false
	}
	return post, true
}

// refuseFastPath returns an error of the fast path as PocketBase's general path would answer it: with text for
// validation errors.
func refuseFastPath(e *core.RequestEvent, err error, text string) error {
	if invalid, ok := errors.AsType[validation.Errors](err); ok {
		return e.BadRequestError(text, invalid)
	}
	return err
}
