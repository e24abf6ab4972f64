package hooks

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"

	"doubletap/internal/account"
	"doubletap/internal/fault"
	"doubletap/internal/guard"
)

// How many bytes of a body are read. What a collection's JSON and files may take comes on top.
const (
	plainBody   = 64 << 10  // a question, a sign-in, a route of our own
	recordBody  = 256 << 10 // the fields of a record
	batchBody   = 2 << 20   // a batch without files
	batchFiles  = 128 << 20 // one with files, where PocketBase's setting does not say
	signUpFiles = 10 << 20  // of who has no account yet
	fileExcess  = 4 << 20   // so that a photo that is a little too large is refused by the name of its field
	smallBody   = 256       // is neither looked into nor counted
)

// How many bytes of uploads are in temporary files at once; see uploadsDir. A post may have 10 photos of 50 MB.
const (
	spoolMost    = 4 << 30
	spoolPersons = 1 << 30 // of one person, or of one address
	spoolFree    = 1 << 20 // stays in memory
)

// bindBodies answers at the headers what needs no body, and bounds the bodies that are read. An owner's collections and
// routes keep PocketBase's limits.
func (s *Social) bindBodies() {
	uploads := &spool{by: map[string]int64{}}
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuth, Func: func(e *core.RequestEvent) error {
			if e.Request.ContentLength == 0 {
				return e.Next()
			}
			if err := refusedAtHeaders(e); err != nil {
				return err
			}
			limit := s.bodyLimit(e)
			if size := e.Request.ContentLength; limit == 0 || 0 < size && size <= smallBody {
				return e.Next()
			} else if size > limit {
				return errBodyTooLarge()
			}
			return readBounded(e, limit, uploads)
		}})
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuth + 1, Func: bodyIsNotNull})
		return e.Next()
	})
}

// bodyIsNotNull refuses null, in a form's JSON too, where PocketBase decodes it into the pointer to what it expects and then
// follows that: at its own routes that take one, but for those of records.
func bodyIsNotNull(e *core.RequestEvent) error {
	pattern := e.Request.Pattern
	if e.Request.ContentLength == 0 || !isPocketBase(pattern) || strings.HasPrefix(pattern, "DELETE ") || strings.HasPrefix(pattern, "GET ") || strings.Contains(pattern, "/records") {
		return e.Next()
	}
	body := &struct{}{}
	if err := e.BindBody(&body); err == nil && body == nil { // else PocketBase says what is wrong
		return e.BadRequestError("The body is null.", nil)
	}
	return e.Next()
}

func errBodyTooLarge() *router.ApiError {
	return router.NewApiError(http.StatusRequestEntityTooLarge, "Request entity too large.", nil)
}

const (
	createPattern = "POST /api/collections/{collection}/records"
	updatePattern = "PATCH /api/collections/{collection}/records/{id}"
)

// refusedAtHeaders is PocketBase's answer to a create or an update that the caller may not do whatever its body says. It
// would be given after the body has been read and its files stored.
func refusedAtHeaders(e *core.RequestEvent) error {
	creates := e.Request.Pattern == createPattern
	if !creates && e.Request.Pattern != updatePattern || e.HasSuperuserAuth() {
		return nil
	}
	collection, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil || collection.IsView() {
		return nil // PocketBase says so
	}
	rule := collection.UpdateRule
	if creates {
		rule = collection.CreateRule
	}
	_, owned := guard.Owners[collection.Name]
	switch {
	case rule == nil:
		return e.ForbiddenError("Only superusers can perform this action.", nil)
	case e.Auth == nil && needsCaller(*rule) && !creates:
		return e.NotFoundError("", nil)
	case e.Auth == nil && needsCaller(*rule), creates && owned && !activeUser(e.Auth):
		return e.BadRequestError("Failed to create record.", nil)
	}
	return nil
}

func activeUser(caller *core.Record) bool {
	return caller != nil && caller.Collection().Name == "users" && caller.GetString("state") == account.Active
}

// needsCaller reports whether a rule refuses every guest by its first condition.
func needsCaller(rule string) bool {
	rest, begins := strings.CutPrefix(strings.TrimSpace(rule), `@request.auth.id != ""`)
	depth, quote := 0, rune(0)
	for i, c := range rest {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0 && strings.HasPrefix(rest[i:], "||"):
			return false // the first is not the only one
		}
	}
	return begins
}

// bodyLimit returns how many bytes of the body a route can need, 0 where PocketBase's own limit holds.
func (s *Social) bodyLimit(e *core.RequestEvent) int64 {
	files := strings.HasPrefix(e.Request.Header.Get("Content-Type"), "multipart/form-data")
	switch pattern := e.Request.Pattern; {
	case strings.Contains(pattern, "/api/collections/{collection}/"):
		collection, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
		switch {
		case err != nil:
			return plainBody
		case !slices.Contains(guard.Guarded, collection.Name):
			return 0
		case pattern == createPattern, pattern == updatePattern:
			return recordLimit(collection, files, e.Auth == nil)
		}
		return plainBody
	case pattern == batchPattern && files:
		return cmp.Or(max(e.App.Settings().Batch.MaxBodySize, 0), batchFiles)
	case pattern == batchPattern:
		return batchBody
	case pattern == "POST /api/realtime":
		return recordBody
	case slices.ContainsFunc(s.routes, func(r route) bool { return r.method+" "+r.path == pattern }), isPocketBase(pattern) && !e.HasSuperuserAuth():
		return plainBody
	}
	return 0
}

// pocketBaseRoutes begin the paths of PocketBase's own routes; what else there is under /api is an owner's.
var pocketBaseRoutes = []string{"oauth2-redirect", "files", "health", "settings", "logs", "backups", "crons", "sql", "collections"}

// isPocketBase reports whether a route is PocketBase's own. Nobody but a superuser has much to say to these.
func isPocketBase(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
	return strings.HasPrefix(path, "/api/") && slices.Contains(pocketBaseRoutes, name)
}

// recordLimit returns what a record of the collection can need.
func recordLimit(collection *core.Collection, files, guest bool) int64 {
	limit, most := int64(recordBody), int64(0)
	for _, field := range collection.Fields {
		switch f := field.(type) {
		case *core.FileField:
			most += f.CalculateMaxBodySize()
		case core.MaxBodySizeCalculator:
			limit += f.CalculateMaxBodySize()
		}
	}
	if !files {
		return limit
	}
	if guest {
		most = min(most, signUpFiles)
	}
	if most > 0 {
		most += fileExcess
	}
	return limit + most
}

// spool counts the bytes of uploads that are being received or stored.
type spool struct {
	mu  sync.Mutex
	all int64
	by  map[string]int64
}

// take reserves n bytes for somebody, and reports whether there was room.
func (s *spool) take(who string, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all+n > spoolMost || s.by[who]+n > spoolPersons {
		return false
	}
	s.all += n
	s.by[who] += n
	return true
}

func (s *spool) give(who string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all -= n
	if s.by[who] -= n; s.by[who] == 0 {
		delete(s.by, who)
	}
}

// readBounded lets a request go on with a body of at most limit bytes, whose JSON is nested no deeper than jsonDepth in
// every spelling.
func readBounded(e *core.RequestEvent, limit int64, uploads *spool) error {
	kind := e.Request.Header.Get("Content-Type")
	form := strings.HasPrefix(kind, "multipart/form-data")
	body := &boundedBody{ReadCloser: e.Request.Body, limit: limit, left: limit, json: strings.HasPrefix(kind, "application/json")}
	e.Request.Body = body
	if form {
		size, who := e.Request.ContentLength, e.RealIP()
		if size < 0 {
			size = limit
		}
		if e.Auth != nil {
			who = e.Auth.Id
		}
		if size > spoolFree {
			if !uploads.take(who, size) {
				e.Response.Header().Set("Retry-After", "5")
				return router.NewApiError(http.StatusServiceUnavailable, "Too many uploads arrive at once. Please try again.", fault.ErrBusy)
			}
			defer uploads.give(who, size)
		}
		if err := parseForm(e.Request, body, kind); err != nil {
			return err
		}
	}
	err := e.Next()
	if body.refused != nil { // a handler may have made something else of it
		return body.refused
	}
	return err
}

// parseForm parses a form for all who look at it later. One that makes no sense is left for PocketBase to refuse.
func parseForm(request *http.Request, body *boundedBody, kind string) error {
	if copying, ok := body.ReadCloser.(*router.RereadableReadCloser); ok {
		body.ReadCloser = copying.ReadCloser // nobody reads a form's bytes twice, so they need not be stored twice
	}
	body.text = boundFormText(kind, batchBody)
	err := request.ParseMultipartForm(spoolFree)
	body.text.close()
	body.text = nil
	switch {
	case body.refused != nil:
		return body.refused
	case err == nil:
		return checkFormDepth(request.MultipartForm.Value)
	case fault.Passing(err):
		return err // PocketBase would call it the client's mistake
	}
	return nil
}

// checkFormDepth holds the JSON in a form to what a JSON body is held to.
func checkFormDepth(values map[string][]string) error {
	for _, value := range values[router.JSONPayloadKey] {
		var nested nesting
		if nested.scan([]byte(value)); nested.tooDeep {
			return errTooDeep()
		}
	}
	return nil
}
