package web

import (
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/sharepage"
)

// AnswerWithPage answers a request that ended in an error with a page for people, unless it was answered already. It
// returns the error as PocketBase would answer it, for the log.
func AnswerWithPage(e *core.RequestEvent, err error) error {
	if err = fault.ForClient(transientFor(e, err)); err == nil || e.Written() {
		return err
	}
	answer := router.ToApiError(err)
	body, pageErr := sharepage.ErrorPage(e.App, answer.Status)
	if pageErr != nil {
		return pageErr
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	if writeErr := Respond(e, answer.Status, "text/html; charset=utf-8", body); writeErr != nil {
		return writeErr
	}
	return answer
}

// AnswerPeople answers with a page where a browser that shows pages asks for an address at which there is nothing.
// Programs, and whoever asks for something of the API, are told in JSON.
func AnswerPeople(e *core.RequestEvent) error { return answerReader(e, e.Next()) }

func answerReader(e *core.RequestEvent, err error) error {
	if err == nil || strings.HasPrefix(e.Request.URL.Path, "/api/") || !showsPages(e.Request) {
		return err
	}
	return AnswerWithPage(e, err)
}

// showsPages reports whether a browser asks for what it will show.
func showsPages(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// RedirectTrailingSlash leads from /p/ID/ to /p/ID: no address of ours ends in a slash.
func RedirectTrailingSlash(e *core.RequestEvent) error {
	path := e.Request.URL.EscapedPath()
	if path == "/" || !strings.HasSuffix(path, "/") || strings.HasPrefix(path, "/api/") {
		return e.Next()
	}
	to := "/" + strings.Trim(path, "/\\") // "//host" would be an address elsewhere
	if query := e.Request.URL.RawQuery; query != "" {
		to += "?" + query
	}
	return e.Redirect(http.StatusMovedPermanently, to)
}
