package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	pb_public "doubletap/pb_public"
)

// bindPages serves the web app at /, unless the owner serves something there.
func (s *Social) bindPages() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if e.Router.HasRoute(http.MethodGet, "/{path...}") {
			return e.Next()
		}
		tags, err := etags(pb_public.FS)
		if err != nil {
			return err
		}
		e.Router.GET("/{path...}", apis.Static(pb_public.FS, false)).BindFunc(s.userAsked, sealed(tags)).Bind(apis.Gzip())
		return e.Next()
	})
}

// sealed keeps our pages to our own scripts, styles and answers, and lets a browser keep what has not changed.
func sealed(tags map[string]string) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		path := e.Request.PathValue(apis.StaticWildcardParam)
		if path == "" {
			path = "index.html"
		}
		header := e.Response.Header()
		if tag, ours := tags[path]; ours {
			header.Set("ETag", tag)
			header.Set("Cache-Control", "no-cache") // ask each time; mostly the answer is 304
		}
		seal(header)
		return e.Next()
	}
}

func seal(header http.Header) {
	header.Set("Content-Security-Policy",
		"default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "same-origin")
}

// etags returns an ETag for each file, from its content: embedded files have no date.
func etags(files fs.FS) (map[string]string, error) {
	tags := map[string]string{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		tags[path] = `W/"` + hex.EncodeToString(sum[:8]) + `"` // weak, as the answer may be compressed
		return nil
	})
	return tags, err
}
