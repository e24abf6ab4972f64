package hooks

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/apidoc"
	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindAPIDoc() {
	s.routes = append(s.routes, web.Route{
		Method: "GET", Path: "/api/v1/openapi.json", ContentType: "application/json", SkipsLog: true,
		Summary: "This API as OpenAPI 3.1, in step with the live collections.",
		Handle: s.serveDescription("application/json", func(d *apidoc.Document) (string, error) {
			text, err := json.Marshal(d)
			return string(text), err
		}),
	}, web.Route{
		Method: "GET", Path: "/api/v1/types.d.ts", ContentType: "application/typescript", SkipsLog: true,
		Summary: "The types of records, of what can be sent and of these routes, in TypeScript.",
		Handle:  s.serveDescription("application/typescript; charset=utf-8", func(d *apidoc.Document) (string, error) { return d.TypeScript(), nil }),
	}, web.Route{
		Method: "GET", Path: "/docs/api", ContentType: "text/html", SkipsLog: true,
		Summary: "This API as a page.",
		Handle:  s.serveDescription("text/html; charset=utf-8", (*apidoc.Document).HTMLPage),
	})
}

// serveDescription returns a handler that answers with the current description of the API as write writes it, or with
// 304 if the client has it already.
func (s *Social) serveDescription(kind string, write func(*apidoc.Document) (string, error)) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		document, err := apidoc.DescribeAPI(e.App, web.DescribeRoutes(s.routes))
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
