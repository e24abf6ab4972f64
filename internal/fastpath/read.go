package fastpath

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/listing"
	"github.com/doubletap/doubletap/internal/metrics"
	"github.com/doubletap/doubletap/internal/visibility"
)

const readKey = "doubletap.read"

// ReadOf returns what a request asks for, and whether it is a read that the fast path knows. Of one that it does not
// know, the collection is returned if that is clear.
func ReadOf(e *core.RequestEvent) (listing.Request, bool) {
	if ask, known := e.Get(readKey).(listing.Request); known {
		return ask, true
	}
	if e.Request.Method != http.MethodGet {
		return listing.Request{}, false
	}
	ask, ok := listing.ParseRequest(e.Request.URL)
	if ok {
		e.Set(readKey, ask)
	}
	return ask, ok
}

// Reads answers the commonest reads: pages of the feed, of the tray and of a profile, and a single post. It leaves a
// request to PocketBase's general path in the same cases as the fast path of likes, and when it finds nothing.
type Reads struct {
	Reader *listing.Reader
	// MaxBytes is how long an answer may be; longer ones the general path counts as it reads them.
	MaxBytes int
	// CheckQuery returns why a query costs too much for a client.
	CheckQuery func(e *core.RequestEvent, collection string, query guard.RecordQuery) error
}

// answerBuffers are reused for answers, which are some tens of kilobytes.
var answerBuffers = sync.Pool{New: func() any { return new(make([]byte, 0, 32<<10)) }}

// Answer answers a read that began at a time, or returns the reason why the general path shall.
func (r *Reads) Answer(e *core.RequestEvent, ask listing.Request, began time.Time) (visibility.Reason, error) {
	switch {
	case !IsUser(e.Auth):
		return NoUser, nil
	case IsRateLimited(e, ask.Collection, ask.Action()):
		return RateLimited, nil
	case ask.PerPage > listing.BudgetFreeRows || ask.Fields != "":
		query := guard.RecordQuery{Query: e.Request.URL.Query(), IsPage: ask.ID == ""}
		if err := r.CheckQuery(e, ask.Collection, query); err != nil {
			return UnknownQuery, nil //nolint:nilerr // the general path meets it again
		}
	}
	buffer := answerBuffers.Get().(*[]byte)
	defer answerBuffers.Put(buffer)
	page, reason, err := r.Reader.AppendPage((*buffer)[:0], e.Auth, ask)
	*buffer = page
	switch {
	case err != nil:
		return ReadFailed, nil //nolint:nilerr // the general path meets it again
	case reason != "":
		return reason, nil
	case len(page) > r.MaxBytes:
		return TooLarge, nil
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
	metrics.ForApp(e.App).ObserveRead(ask.Collection, metrics.FastPath, time.Since(began))
	if ask.Fields != "" {
		return "", e.JSON(http.StatusOK, whole) // PocketBase picks the fields
	}
	e.Response.Header().Set("Content-Length", strconv.Itoa(len(page)))
	return "", e.Blob(http.StatusOK, "application/json", page)
}
