package hooks

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/listing"
	"github.com/doubletap/doubletap/internal/metrics"
	"github.com/doubletap/doubletap/internal/visibility"
	"github.com/doubletap/doubletap/internal/web"
)

// The commonest reads have a fast path too: pages of the feed, of the tray and of a profile, and a single post. It
// leaves a request to PocketBase's general path in the same cases as that of the likes, and when it finds nothing.

// readHooks count the handlers of the hooks that a read runs on PocketBase's general path and not on the fast path.
var readHooks = []func(core.App) int{
	func(a core.App) int { return a.OnRecordsListRequest().Length() },
	func(a core.App) int { return a.OnRecordViewRequest().Length() },
	func(a core.App) int { return a.OnRecordEnrich().Length() },
}

const enrichHookIndex = 2 // where OnRecordEnrich is in readHooks

const fastReadKey = "doubletap.read"

// fastReadOf returns what a request asks for, and whether it is a read that the fast path knows.
func fastReadOf(e *core.RequestEvent) (listing.Request, bool) {
	if ask, known := e.Get(fastReadKey).(listing.Request); known {
		return ask, true
	}
	if e.Request.Method != http.MethodGet {
		return listing.Request{}, false
	}
	ask, ok := listing.ParseRequest(e.Request.URL)
	if ok {
		e.Set(fastReadKey, ask)
	}
	return ask, ok
}

// answerBuffers are reused for answers, which are some tens of kilobytes.
var answerBuffers = sync.Pool{New: func() any { return new(make([]byte, 0, 32<<10)) }}

// serveFastRead answers a read, or returns the reason why the general path shall.
func (s *Social) serveFastRead(e *core.RequestEvent, ask listing.Request, began time.Time) (visibility.Reason, error) {
	switch {
	case !fastpath.IsUser(e.Auth):
		return fastpath.NoUser, nil
	case fastpath.IsRateLimited(e, ask.Collection, ask.Action()):
		return fastpath.RateLimited, nil
	case ask.PerPage > listing.BudgetFreeRows || ask.Fields != "":
		question := guard.RecordQuery{Query: e.Request.URL.Query(), IsPage: ask.ID == ""}
		if err := checkQuestion(e, ask.Collection, question); err != nil {
			return fastpath.UnknownQuery, nil //nolint:nilerr // the general path meets it again
		}
	}
	buffer := answerBuffers.Get().(*[]byte)
	defer answerBuffers.Put(buffer)
	page, reason, err := s.listReader.AppendPage((*buffer)[:0], e.Auth, ask)
	*buffer = page
	switch {
	case err != nil:
		return fastpath.ReadFailed, nil //nolint:nilerr // the general path meets it again
	case reason != "":
		return reason, nil
	case len(page) > web.MaxAnswerBytes/4:
		return fastpath.TooLarge, nil
	}
	var whole any = jsontext.Value(page)
	if ask.Fields != "" && ask.ID == "" {
		var answer search.Result
		// what PocketBase writes too: a JSON field may hold a name twice
		if err := json.Unmarshal(page, &answer, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
			return listing.UnknownFormat, nil //nolint:nilerr // the general path writes it another way
		}
		whole = &answer
	}
	metrics.ForApp(s.app).ObserveRead(ask.Collection, metrics.FastPath, time.Since(began))
	if ask.Fields != "" {
		return "", e.JSON(http.StatusOK, whole) // PocketBase picks the fields
	}
	e.Response.Header().Set("Content-Length", strconv.Itoa(len(page)))
	return "", e.Blob(http.StatusOK, "application/json", page)
}

// bindFastReads must come after bindFastPath, whose tokens it shares. before are the counts of handlers from when
// Bind began.
func (s *Social) bindFastReads(before []int) {
	off := os.Getenv("DOUBLETAP_FASTPATH") == "off"
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
			ask, ok := fastReadOf(e)
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
					if reason, err = s.serveFastRead(e, ask, began); reason == "" {
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
