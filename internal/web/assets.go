package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	pb_public "github.com/doubletap/doubletap/pb_public"
)

// Asset is a file of the web app as it is sent: with its ETag and, where that is smaller, compressed once.
type Asset struct {
	etag    string
	gzipped []byte
}

// ServeAssets allows our pages only our own scripts, styles and answers, and lets a browser keep files that have not
// changed.
func ServeAssets(files map[string]Asset) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		path := e.Request.PathValue(apis.StaticWildcardParam)
		if path == "" {
			path = "index.html"
		}
		header := e.Response.Header()
		SetPagePolicy(header)
		file, ours := files[path]
		if !ours {
			return router.ErrFileNotFound // e.Next would lead a folder's address to one with a slash
		}
		header.Set("ETag", file.etag)
		header.Set("Cache-Control", "no-cache") // ask each time; mostly the answer is 304
		header.Set("Vary", "Accept-Encoding")
		if file.gzipped == nil || !strings.Contains(e.Request.Header.Get("Accept-Encoding"), "gzip") {
			return e.Next()
		}
		header.Set("Content-Encoding", "gzip")
		http.ServeContent(e.Response, e.Request, path, time.Time{}, bytes.NewReader(file.gzipped))
		return nil
	}
}

// SetPagePolicy allows a page of ours only our own scripts, styles and answers, and no frame.
func SetPagePolicy(header http.Header) {
	header.Set("Content-Security-Policy",
		"default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "same-origin")
}

// Assets returns the web app's files. They are compressed once in a process, not for each service: tests start
// hundreds.
var Assets = sync.OnceValues(func() (map[string]Asset, error) { return loadAssets(pb_public.FS) })

// loadAssets reads every file, by its path. The ETag comes from the content, as embedded files have no date.
func loadAssets(files fs.FS) (map[string]Asset, error) {
	all := map[string]Asset{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		file := Asset{etag: `W/"` + hex.EncodeToString(sum[:8]) + `"`} // weak, as the bytes may be compressed
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if _, err := w.Write(content); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if packed.Len() < len(content) {
			file.gzipped = packed.Bytes()
		}
		all[path] = file
		return nil
	})
	return all, err
}
