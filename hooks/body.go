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

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
)

// How many bytes of a body are read at most. What a collection's JSON fields and files may take comes on top.
const (
	maxDefaultBodyBytes = 64 << 10  // a query, a sign-in, a route of our own
	maxRecordBodyBytes  = 256 << 10 // the fields of a record
	maxBatchBodyBytes   = 2 << 20   // a batch without files
	maxBatchFormBytes   = 128 << 20 // a batch with files, where PocketBase's setting gives no limit
	maxSignUpFileBytes  = 10 << 20  // the files of somebody who has no account yet
	fileSlackBytes      = 4 << 20   // on top, so that a photo that is a little too large is refused by the name of its field
	uncheckedBodyBytes  = 256       // a body of this size or less is neither inspected nor counted
)

// How many bytes of uploads may be in temporary files at once; see uploadsDir. A post may have 10 photos of 50 MB.
const (
	maxUploadBytes       = 4 << 30
	maxPersonUploadBytes = 1 << 30 // of one user, or of one address if it is a guest's
	maxMemoryFormBytes   = 1 << 20 // a form of this size or less stays in memory
)

// bindBodies answers requests that need no body at their headers, and bounds the bodies that are read. An owner's
// collections and routes keep PocketBase's limits.
func (s *Social) bindBodies() {
	uploads := &uploadBudget{bytesByPerson: map[string]int64{}}
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority, Func: func(e *core.RequestEvent) error {
			if e.Request.ContentLength == 0 {
				return e.Next()
			}
			if err := refuseAtHeaders(e); err != nil {
				return err
			}
			limit := s.bodyLimit(e)
			if size := e.Request.ContentLength; limit == 0 || 0 < size && size <= uncheckedBodyBytes {
				return e.Next()
			} else if size > limit {
				return errBodyTooLarge()
			}
			return readBoundedBody(e, limit, uploads)
		}})
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority + 1, Func: refuseNullBody})
		return e.Next()
	})
}

// refuseNullBody refuses a body that is null, in a form's JSON too. PocketBase decodes null into the pointer to what
// it expects and then dereferences it, at all its own routes that take a body except those of records.
func refuseNullBody(e *core.RequestEvent) error {
	pattern := e.Request.Pattern
	if e.Request.ContentLength == 0 || !isPocketBaseRoute(pattern) || strings.HasPrefix(pattern, "DELETE ") || strings.HasPrefix(pattern, "GET ") || strings.Contains(pattern, "/records") {
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

// refuseAtHeaders returns PocketBase's answer to a create or an update that the caller may not do whatever its body
// says, or nil. PocketBase gives that answer only after the body has been read and its files stored.
func refuseAtHeaders(e *core.RequestEvent) error {
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
	_, owned := guard.OwnerFields[collection.Name]
	switch {
	case rule == nil:
		return e.ForbiddenError("Only superusers can perform this action.", nil)
	case e.Auth == nil && refusesGuests(*rule) && !creates:
		return e.NotFoundError("", nil)
	case e.Auth == nil && refusesGuests(*rule), creates && owned && !isActiveUser(e.Auth):
		return e.BadRequestError("Failed to create record.", nil)
	}
	return nil
}

func isActiveUser(caller *core.Record) bool {
	return caller != nil && caller.Collection().Name == "users" && caller.GetString("state") == account.Active
}

// refusesGuests reports whether a rule refuses every guest by its first condition.
func refusesGuests(rule string) bool {
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
			return false // the first condition alone does not decide
		}
	}
	return begins
}

// bodyLimit returns how many bytes a body of the request's route can need, or 0 where PocketBase's own limit holds.
func (s *Social) bodyLimit(e *core.RequestEvent) int64 {
	files := strings.HasPrefix(e.Request.Header.Get("Content-Type"), "multipart/form-data")
	switch pattern := e.Request.Pattern; {
	case strings.Contains(pattern, "/api/collections/{collection}/"):
		collection, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
		switch {
		case err != nil:
			return maxDefaultBodyBytes
		case !slices.Contains(guard.GuardedCollections, collection.Name):
			return 0
		case pattern == createPattern, pattern == updatePattern:
			return recordBodyLimit(collection, files, e.Auth == nil)
		}
		return maxDefaultBodyBytes
	case pattern == batchPattern && files:
		return cmp.Or(max(e.App.Settings().Batch.MaxBodySize, 0), maxBatchFormBytes)
	case pattern == batchPattern:
		return maxBatchBodyBytes
	case pattern == "POST /api/realtime":
		return maxRecordBodyBytes
	case slices.ContainsFunc(s.routes, func(r route) bool { return r.method+" "+r.path == pattern }), isPocketBaseRoute(pattern) && !e.HasSuperuserAuth():
		return maxDefaultBodyBytes
	}
	return 0
}

// pocketBaseRoutes are the first parts of the paths of PocketBase's own routes under /api; any other is an owner's.
var pocketBaseRoutes = []string{"oauth2-redirect", "files", "health", "settings", "logs", "backups", "crons", "sql", "collections"}

// isPocketBaseRoute reports whether a route is PocketBase's own. Only superusers have much to send to these.
func isPocketBaseRoute(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
	return strings.HasPrefix(path, "/api/") && slices.Contains(pocketBaseRoutes, name)
}

// recordBodyLimit returns how many bytes a record of the collection can need.
func recordBodyLimit(collection *core.Collection, files, guest bool) int64 {
	limit, most := int64(maxRecordBodyBytes), int64(0)
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
		most = min(most, maxSignUpFileBytes)
	}
	if most > 0 {
		most += fileSlackBytes
	}
	return limit + most
}

// uploadBudget counts the bytes of uploads that are being received or stored.
type uploadBudget struct {
	mu            sync.Mutex
	totalBytes    int64
	bytesByPerson map[string]int64
}

// reserve reserves n bytes for who, a user's id or a guest's address, and reports whether there was room.
func (b *uploadBudget) reserve(who string, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.totalBytes+n > maxUploadBytes || b.bytesByPerson[who]+n > maxPersonUploadBytes {
		return false
	}
	b.totalBytes += n
	b.bytesByPerson[who] += n
	return true
}

func (b *uploadBudget) release(who string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.totalBytes -= n
	if b.bytesByPerson[who] -= n; b.bytesByPerson[who] == 0 {
		delete(b.bytesByPerson, who)
	}
}

// readBoundedBody lets a request go on with a body of at most limit bytes. Its JSON, in a form too, may be nested at
// most maxJSONDepth deep.
func readBoundedBody(e *core.RequestEvent, limit int64, uploads *uploadBudget) error {
	kind := e.Request.Header.Get("Content-Type")
	form := strings.HasPrefix(kind, "multipart/form-data")
	body := &boundedBody{ReadCloser: e.Request.Body, limit: limit, left: limit, isJSON: strings.HasPrefix(kind, "application/json")}
	e.Request.Body = body
	if form {
		size, who := e.Request.ContentLength, e.RealIP()
		if size < 0 {
			size = limit
		}
		if e.Auth != nil {
			who = e.Auth.Id
		}
		if size > maxMemoryFormBytes {
			if !uploads.reserve(who, size) {
				e.Response.Header().Set("Retry-After", "5")
				return router.NewApiError(http.StatusServiceUnavailable, "Too many uploads arrive at once. Please try again.", fault.ErrBusy)
			}
			defer uploads.release(who, size)
		}
		if err := parseBoundedForm(e.Request, body, kind); err != nil {
			return err
		}
	}
	err := e.Next()
	if body.refused != nil { // a handler may have replaced this error
		return body.refused
	}
	return err
}

// parseBoundedForm parses a form for all who read it later. A malformed one is left for PocketBase to refuse.
func parseBoundedForm(request *http.Request, body *boundedBody, kind string) error {
	if copying, ok := body.ReadCloser.(*router.RereadableReadCloser); ok {
		body.ReadCloser = copying.ReadCloser // nobody reads a form's bytes twice, so they need not be stored twice
	}
	body.formText = limitFormText(kind, maxBatchBodyBytes)
	err := request.ParseMultipartForm(maxMemoryFormBytes)
	body.formText.closePipe()
	body.formText = nil
	switch {
	case body.refused != nil:
		return body.refused
	case err == nil:
		return checkFormDepth(request.MultipartForm.Value)
	case fault.IsTransient(err):
		return err // PocketBase would call it the client's mistake
	}
	return nil
}

// checkFormDepth bounds the nesting of the JSON in a form as that of a JSON body.
func checkFormDepth(values map[string][]string) error {
	for _, value := range values[router.JSONPayloadKey] {
		var nested jsonNesting
		if nested.scanJSON([]byte(value)); nested.tooDeep {
			return errNestedTooDeep()
		}
	}
	return nil
}
