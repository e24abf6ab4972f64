package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/sharepage"
)

// RespondCached answers with a body and its ETag, or with 304 to those who have it.
func RespondCached(e *core.RequestEvent, status int, kind string, body []byte) error {
	header := e.Response.Header()
	tag := `"` + sharepage.ContentTag(body) + `"`
	header.Set("ETag", "W/"+tag) // weak, as the bytes may be compressed
	header.Set("Cache-Control", "public, max-age=0, s-maxage=30")
	if e.Request.URL.RequestURI() == sharepage.StylePath {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	for known := range strings.SplitSeq(e.Request.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == tag {
			SetPagePolicy(header)
			e.Response.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return Respond(e, status, kind, body)
}

// Respond answers with a body and the policy of our pages.
func Respond(e *core.RequestEvent, status int, kind string, body []byte) error {
	SetPagePolicy(e.Response.Header())
	e.Response.Header().Set("Content-Length", strconv.Itoa(len(body)))
	return e.Blob(status, kind, body)
}

// ServeSitemap answers /sitemap.xml.
func ServeSitemap(e *core.RequestEvent) error {
	index, err := sharepage.SitemapIndex(e.App)
	if err != nil {
		return err
	}
	return respondSitemap(e, index)
}

// ServeSitemapPart answers /sitemap/{name}-{number}.xml.
func ServeSitemapPart(e *core.RequestEvent) error {
	name, number, _ := strings.Cut(strings.TrimSuffix(e.Request.PathValue("part"), ".xml"), "-")
	n, err := strconv.Atoi(number)
	if err != nil || e.Request.PathValue("part") != fmt.Sprintf("%s-%d.xml", name, n) {
		return fault.NotFound()
	}
	part, err := sharepage.SitemapPart(e.App, name, n)
	if err != nil {
		return err
	}
	if part == nil {
		return fault.NotFound()
	}
	return respondSitemap(e, part)
}

func respondSitemap(e *core.RequestEvent, m *sharepage.Sitemap) error {
	body, err := m.EncodeXML()
	if err != nil {
		return err
	}
	return RespondCached(e, http.StatusOK, "application/xml; charset=utf-8", body)
}
