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
	"github.com/doubletap/doubletap/internal/listing"
	"github.com/doubletap/doubletap/internal/metrics"
	"github.com/doubletap/doubletap/internal/visibility"
)

// The fast path answers the commonest writes as PocketBase's general path would, but with a few statements, in a
// transaction that all who wait share. It asks the rules as an admin has them now. Whatever is not the plain case takes
// the general path: a rule that depends on more than the row and the caller, a field that an admin has changed, or a
// record or model hook that an owner has bound. /metrics counts these by their reason.

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
			began, path := time.Now(), metrics.FastPath
			serve, reason := s.fastLikeHandler(e)
			switch {
			case off:
				reason = turnedOff
			case !slices.Equal(handlerCounts(s.app, recordHooks), shipped):
				reason = ownersHooks
			}
			var err error
			if reason == "" {
				reason, err = serve(e)
			}
			if reason != "" {
				figures.CountSkip(e.Request.Method+" like", string(reason))
				path, err = metrics.GeneralPath, known.reloadUser(e)
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

// The reasons, besides those of rules and of package listing, why a request that the fast path knows takes PocketBase's
// general path.
const (
	turnedOff    visibility.Reason = "off"         // DOUBLETAP_FASTPATH is off
	ownersHooks  visibility.Reason = "hooks"       // an owner has bound a hook that only the general path runs
	noUser       visibility.Reason = "caller"      // a guest, a superuser or a user of another collection asks
	rateLimit    visibility.Reason = "rate_limit"  // one of the admin's applies
	unknownQuery visibility.Reason = "query"       // it asks for more than a like has
	unknownBody  visibility.Reason = "body"        // it is no plain like
	noSuchPost   visibility.Reason = "post"        // the rule lets in a like of a post that is not there
	isReferred   visibility.Reason = "references"  // something of the owner's refers to likes
	tooLarge     visibility.Reason = "answer_size" // the answer is too large for the fast path's buffers
	readFailed   visibility.Reason = "error"       // the general path meets the error again and answers it
)

// fastLikeHandler returns the handler of a like or unlike, or the reason why the fast path cannot serve it. The handler
// itself may return such a reason, when it has changed and answered nothing.
func (s *Social) fastLikeHandler(e *core.RequestEvent) (func(*core.RequestEvent) (visibility.Reason, error), visibility.Reason) {
	rest, _ := cutLikesPath(e)
	switch {
	case e.Auth == nil || e.Auth.Collection().Name != "users":
		return nil, noUser
	case e.Request.URL.RawQuery != "":
		return nil, unknownQuery
	}
	likes, err := e.App.FindCachedCollectionByNameOrId("likes")
	if err != nil {
		return nil, readFailed
	}
	if !fastpath.HasShippedFields(likes) {
		return nil, listing.UnknownField
	}
	rules, err := s.likeRules.Find(e.App, likes)
	switch {
	case err != nil:
		return nil, readFailed
	case e.Request.Method == http.MethodPost && rest == "":
		if rules.CreateReason != "" {
			return nil, rules.CreateReason
		}
		if isRateLimited(e, "likes", "create") {
			return nil, rateLimit
		}
		post, user, ok := readLikedPost(e)
		if !ok {
			return nil, unknownBody
		}
		return func(e *core.RequestEvent) (visibility.Reason, error) {
			return s.serveFastLike(e, likes, rules, post, user)
		}, ""
	case e.Request.Method == http.MethodDelete && len(rest) == 16:
		switch {
		case rules.DeleteReason != "":
			return nil, rules.DeleteReason
		case isRateLimited(e, "likes", "delete"):
			return nil, rateLimit
		case isReferenced(e.App, likes):
			return nil, isReferred
		}
		return func(e *core.RequestEvent) (visibility.Reason, error) {
			return "", s.serveFastUnlike(e, likes, rules, rest[1:])
		}, ""
	}
	return nil, unknownQuery
}

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
func readLikedPost(e *core.RequestEvent) (post, user string, ok bool) {
	if n := e.Request.ContentLength; n <= 0 || n > 200 || !strings.HasPrefix(e.Request.Header.Get("Content-Type"), "application/json") {
		return "", "", false
	}
	text, err := io.ReadAll(e.Request.Body)
	if again, ok := e.Request.Body.(router.Rereader); ok {
		again.Reread() // for the general path
	}
	var body map[string]any
	if err != nil || json.Unmarshal(text, &body) != nil {
		return "", "", false
	}
	post, ok = body["post"].(string)
	who, named := body["user"]
	switch {
	case !ok, named && who != e.Auth.Id, len(body) > 2, len(body) == 2 && !named:
		return "", "", false
	case named:
		user = e.Auth.Id
	}
	return post, user, true
}

// refuseFastPath returns an error of the fast path as PocketBase's general path would answer it: with text for
// validation errors.
func refuseFastPath(e *core.RequestEvent, err error, text string) error {
	if invalid, ok := errors.AsType[validation.Errors](err); ok {
		return e.BadRequestError(text, invalid)
	}
	return err
}
