package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/collection"
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

// Bodies answers requests that need no body at their headers, and bounds the bodies that are read. An owner's
// collections and routes keep PocketBase's limits.
type Bodies struct {
	isOurRoute func(pattern string) bool
	uploads    uploadBudget
}

// NewBodies returns the bounds of an app whose own routes isOurRoute knows, by their patterns.
func NewBodies(isOurRoute func(pattern string) bool) *Bodies {
	return &Bodies{isOurRoute: isOurRoute, uploads: uploadBudget{bytesByPerson: map[string]int64{}}}
}

// CheckBody is the middleware, for the place where the caller is known and nothing of the body has been read.
func (b *Bodies) CheckBody(e *core.RequestEvent) error {
	if e.Request.ContentLength == 0 {
		return e.Next()
	}
	if err := refuseAtHeaders(e); err != nil {
		return err
	}
	limit := b.bodyLimit(e)
	if size := e.Request.ContentLength; limit == 0 || 0 < size && size <= uncheckedBodyBytes {
		return e.Next()
	} else if size > limit {
		return errBodyTooLarge()
	}
	return readBoundedBody(e, limit, &b.uploads)
}

// RefuseNullBody refuses a body that is null, in a form's JSON too. PocketBase decodes null into the pointer to what
// it expects and then dereferences it, at all its own routes that take a body except those of records.
func RefuseNullBody(e *core.RequestEvent) error {
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

// The routes of PocketBase whose bodies are large.
const (
	BatchPattern  = "POST /api/batch"
	CreatePattern = "POST /api/collections/{collection}/records"
	updatePattern = "PATCH /api/collections/{collection}/records/{id}"
)

// refuseAtHeaders returns PocketBase's answer to a create or an update that the caller may not do whatever its body
// says, or nil. PocketBase gives that answer only after the body has been read and its files stored.
func refuseAtHeaders(e *core.RequestEvent) error {
	creates := e.Request.Pattern == CreatePattern
	if !creates && e.Request.Pattern != updatePattern || e.HasSuperuserAuth() {
		return nil
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil || c.IsView() {
		return nil //nolint:nilerr // PocketBase says so
	}
	rule := c.UpdateRule
	if creates {
		rule = c.CreateRule
	}
	owned := collection.Describe(c.Name).Owner != ""
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
func (b *Bodies) bodyLimit(e *core.RequestEvent) int64 {
	files := strings.HasPrefix(e.Request.Header.Get("Content-Type"), "multipart/form-data")
	switch pattern := e.Request.Pattern; {
	case strings.Contains(pattern, "/api/collections/{collection}/"):
		collection, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
		switch {
		case err != nil:
			return maxDefaultBodyBytes
		case !slices.Contains(guard.GuardedCollections, collection.Name):
			return 0
		case pattern == CreatePattern, pattern == updatePattern:
			return recordBodyLimit(collection, files, e.Auth == nil)
		}
		return maxDefaultBodyBytes
	case pattern == BatchPattern && files:
		return cmp.Or(max(e.App.Settings().Batch.MaxBodySize, 0), maxBatchFormBytes)
	case pattern == BatchPattern:
		return maxBatchBodyBytes
	case pattern == "POST /api/realtime":
		return maxRecordBodyBytes
	case b.isOurRoute(pattern), isPocketBaseRoute(pattern) && !e.HasSuperuserAuth():
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
