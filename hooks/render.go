package hooks

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/internal/fault"
	"doubletap/internal/page"
)

// RenderEvent is a page about to be shown to somebody without the app: that of a "post", a "user" or a "tag". Its texts may be
// altered and are escaped where they go, but for Head, which is trusted. Not calling Next makes it the page of
// something that is not there; an error is the answer.
type RenderEvent struct {
	hook.Event
	App         core.App
	Request     *core.RequestEvent
	Page        string       // "post", "user" or "tag"
	Record      *core.Record // what it shows
	Title       string
	Description string
	Head        template.HTML // further elements for the page's head
}

// Tags makes OnRender("post") run for pages of posts alone.
func (e *RenderEvent) Tags() []string { return []string{e.Page} }

// OnRender runs before a page of the kinds, or any, is shown to a guest, a crawler or whoever makes a link's preview. It
// runs at each request, also when what they have is still right.
func (s *Social) OnRender(pages ...string) *hook.TaggedHook[*RenderEvent] {
	return hook.NewTaggedHook(&s.events.render, pages...)
}

func (s *Social) bindRender() {
	pages := []route{
		{path: "/p/{id}", summary: "A public post as a page, for people without the app and for previews.", refuses: []int{404}, do: func(e *core.RequestEvent) error {
			return s.render(e, page.OfPost, e.Request.PathValue("id"))
		}},
		{path: "/tags/{name}", summary: "The public posts of a hashtag as a page.", refuses: []int{404}, do: func(e *core.RequestEvent) error {
			return s.render(e, page.OfTag, e.Request.PathValue("name"))
		}},
		{path: "/sitemap.xml", internal: true, do: sitemapAsked},
		{path: "/sitemap/{part}", internal: true, do: sitemapPartAsked},
		{path: "/robots.txt", internal: true, do: func(e *core.RequestEvent) error {
			return kept(e, http.StatusOK, "text/plain; charset=utf-8", page.Robots(e.App))
		}},
		{path: "/page.css", internal: true, do: func(e *core.RequestEvent) error {
			return kept(e, http.StatusOK, "text/css; charset=utf-8", page.CSS)
		}},
		{path: "/page.js", internal: true, do: func(e *core.RequestEvent) error {
			return kept(e, http.StatusOK, "text/javascript; charset=utf-8", page.JS)
		}},
	}
	for _, r := range pages {
		r.method, r.content, r.yields = http.MethodGet, "text/html", true
		s.routes = append(s.routes, r)
	}
}

// userAsked shows /@handle, which no pattern of a route can say.
func (s *Social) userAsked(e *core.RequestEvent) error {
	handle, ours := strings.CutPrefix(e.Request.URL.Path, "/@")
	if !ours {
		return e.Next()
	}
	return fault.Answer(s.render(e, page.OfUser, handle))
}

// render answers with a page, or with that of what is missing. Shared caches keep it for half a minute at most, and browsers
// ask each time, so that it is hardly seen longer than what it shows.
func (s *Social) render(e *core.RequestEvent, load func(app core.App, name string) (*page.Page, error), name string) error {
	p, err := load(e.App, name)
	if err != nil {
		return err
	}
	shown := p != nil
	if shown && s.events.render.Length() > 0 {
		shown = false
		event := &RenderEvent{App: e.App, Request: e, Page: p.Kind, Record: p.Record, Title: p.Title, Description: p.Description}
		err := s.events.render.Trigger(event, func(r *RenderEvent) error {
			shown = true
			p.Title, p.Description, p.Head = r.Title, r.Description, r.Head
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !shown {
		body, err := page.Missing(e.App)
		if err != nil {
			return err
		}
		e.Response.Header().Set("Cache-Control", "no-store")
		return sent(e, http.StatusNotFound, "text/html; charset=utf-8", body)
	}
	body, err := p.HTML()
	if err != nil {
		return err
	}
	return kept(e, http.StatusOK, "text/html; charset=utf-8", body)
}

// kept is sent with an ETag, or 304 to those who have it.
func kept(e *core.RequestEvent, status int, kind string, body []byte) error {
	header := e.Response.Header()
	tag := `"` + page.Tagged(body) + `"`
	header.Set("ETag", tag)
	header.Set("Cache-Control", "public, max-age=0, s-maxage=30")
	if e.Request.URL.RequestURI() == page.StylePath {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	for known := range strings.SplitSeq(e.Request.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == tag {
			seal(header)
			e.Response.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return sent(e, status, kind, body)
}

func sent(e *core.RequestEvent, status int, kind string, body []byte) error {
	seal(e.Response.Header())
	e.Response.Header().Set("Content-Length", strconv.Itoa(len(body)))
	return e.Blob(status, kind, body)
}

func sitemapAsked(e *core.RequestEvent) error {
	index, err := page.Index(e.App)
	if err != nil {
		return err
	}
	return mapped(e, index)
}

func sitemapPartAsked(e *core.RequestEvent) error {
	name, number, _ := strings.Cut(strings.TrimSuffix(e.Request.PathValue("part"), ".xml"), "-")
	n, err := strconv.Atoi(number)
	if err != nil || e.Request.PathValue("part") != fmt.Sprintf("%s-%d.xml", name, n) {
		return fault.NotFound()
	}
	part, err := page.Part(e.App, name, n)
	if err != nil {
		return err
	}
	if part == nil {
		return fault.NotFound()
	}
	return mapped(e, part)
}

func mapped(e *core.RequestEvent, m *page.Sitemap) error {
	body, err := m.XML()
	if err != nil {
		return err
	}
	return kept(e, http.StatusOK, "application/xml; charset=utf-8", body)
}
