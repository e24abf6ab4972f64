package web

import (
	"net/http"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/fault"
)

// How many bytes of uploads may be in temporary files at once; see datafolder.MakeUploadsDir. A post may have 10 photos of 50 MB.
const (
	maxUploadBytes       = 4 << 30
	maxPersonUploadBytes = 1 << 30 // of one user, or of one address if it is a guest's
	maxMemoryFormBytes   = 1 << 20 // a form of this size or less stays in memory
)

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
