package hooks

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/apidoc"
)

func (s *Social) bindAPIDoc() {
	packed := []*hook.Handler[*core.RequestEvent]{apis.Gzip()}
	s.routes = append(s.routes, route{
		method: "GET", path: "/api/v1/openapi.json", contentType: "application/json", skipsLog: true, middlewares: packed,
		summary: "This API as OpenAPI 3.1, in step with the live collections.",
		handle: s.serveDescription("application/json", func(d *apidoc.Document) (string, error) {
			text, err := json.Marshal(d)
			return string(text), err
		}),
	}, route{
		method: "GET", path: "/api/v1/types.d.ts", contentType: "application/typescript", skipsLog: true, middlewares: packed,
		summary: "The types of records, of what can be sent and of these routes, in TypeScript.",
		handle:  s.serveDescription("application/typescript; charset=utf-8", func(d *apidoc.Document) (string, error) { return d.TypeScript(), nil }),
	}, route{
		method: "GET", path: "/docs/api", contentType: "text/html", skipsLog: true, middlewares: packed,
		summary: "This API as a page.",
		handle:  s.serveDescription("text/html; charset=utf-8", (*apidoc.Document).HTMLPage),
	})
}

// serveDescription returns a handler that answers with the current description of the API as write writes it, or with
// 304 if the client has it already.
func (s *Social) serveDescription(kind string, write func(*apidoc.Document) (string, error)) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		document, err := apidoc.DescribeAPI(e.App, s.describedRoutes())
		if err != nil {
			return err
		}
		text, err := write(document)
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(text))
		tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"` // weak, as the answer may be compressed
		header := e.Response.Header()
		header.Set("ETag", tag)
		header.Set("Cache-Control", "no-cache")
		header.Set("Content-Security-Policy", apidoc.ContentSecurityPolicy)
		if strings.Contains(e.Request.Header.Get("If-None-Match"), tag) {
			return e.NoContent(http.StatusNotModified)
		}
		return e.Blob(http.StatusOK, kind, []byte(text))
	}
}

// describedRoutes returns our routes as the description shows them, without internal ones.
func (s *Social) describedRoutes() []apidoc.Route {
	var all []apidoc.Route
	for _, r := range s.routes {
		if r.internal {
			continue
		}
		about := apidoc.Route{
			Method: r.method, Path: r.path, Summary: r.summary, Access: r.access.String(), Request: r.requestBody, Response: r.responseBody, Content: r.contentType, ErrorStatuses: r.errorStatuses,
		}
		if r.access > accessUsers {
			about.ErrorStatuses = append([]int{http.StatusForbidden}, r.errorStatuses...)
		}
		for _, p := range r.query {
			about.Query = append(about.Query, apidoc.QueryParameter{Name: p.name, About: p.about})
		}
		all = append(all, about)
	}
	return all
}

// String says who may call a route. It is empty if everybody may.
func (a access) String() string {
	return [...]string{"", "For people who are signed in.", "For moderators and superusers.", "For superusers."}[a]
}
