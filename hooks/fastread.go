package hooks

import (
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/internal/listing"
	"doubletap/internal/watch"
)

// The commonest reads have a fast path too: pages of the feed, of the tray and of a profile, and a single post. It steps
// aside for PocketBase's general path like that of the likes, and when it finds nothing.

// readHooks are the moments of PocketBase's general path that a fast read leaves out.
var readHooks = []func(core.App) int{
	func(a core.App) int { return a.OnRecordsListRequest().Length() },
	func(a core.App) int { return a.OnRecordViewRequest().Length() },
	func(a core.App) int { return a.OnRecordEnrich().Length() },
}

const enriching = 2 // among readHooks

const readKey = "doubletap.read"

// reading returns what a plain read asks for.
func reading(e *core.RequestEvent) (listing.Ask, bool) {
	if ask, known := e.Get(readKey).(listing.Ask); known {
		return ask, true
	}
	if e.Request.Method != http.MethodGet {
		return listing.Ask{}, false
	}
	ask, ok := listing.Read(e.Request.URL)
	if ok {
		e.Set(readKey, ask)
	}
	return ask, ok
}

// buffers are for answers, which are some tens of kilobytes.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 32<<10)) }}

// plainRead answers a read and reports whether it did.
func (s *Social) plainRead(e *core.RequestEvent, ask listing.Ask, began time.Time) (bool, error) {
	if e.Auth == nil || e.Auth.Collection().Name != "users" || limited(e, ask.Collection, ask.Action()) {
		return false, nil
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	page, ok, err := s.pages.Page((*buffer)[:0], e.Auth, ask)
	*buffer = page
	if err != nil || !ok || len(page) > maxAnswerBytes/4 {
		return false, nil // PocketBase meets the error again, and says it
	}
	watch.Of(s.app).Read(ask.Collection, watch.Fast, time.Since(began))
	e.Response.Header().Set("Content-Length", strconv.Itoa(len(page)))
	return true, e.Blob(http.StatusOK, "application/json", page)
}

// bindFastReads comes after bindFastPath, whose tokens it shares; before are the handlers that were there when Bind began.
func (s *Social) bindFastReads(before []int) {
	off := os.Getenv("DOUBLETAP_FASTPATH") == "off"
	ours := handlers(s.app, readHooks)
	for i := range ours {
		ours[i] -= before[i]
	}
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		shipped, err := shippedHandlers(readHooks, ours)
		if err != nil {
			return err
		}
		s.enrichers = shipped[enriching] - ours[enriching] + 3 // postsShown and usersShown, of which alike knows, and answerIsWhole, which adds nothing
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: last, Func: func(e *core.RequestEvent) error {
			ask, ok := reading(e)
			if !ok {
				return e.Next()
			}
			began := time.Now()
			if !off && slices.Equal(handlers(s.app, readHooks), shipped) {
				if done, err := s.plainRead(e, ask, began); done {
					return err
				}
			}
			if err := s.tokens.reload(e); err != nil {
				return err
			}
			if err := e.Next(); err != nil {
				return err
			}
			watch.Of(s.app).Read(ask.Collection, watch.General, time.Since(began))
			return nil
		}})
		return e.Next()
	})
}
