package hooks

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/sharepage"
	"github.com/doubletap/doubletap/internal/web"
)

// RenderEvent is a page that is about to be shown to somebody without the app: that of a post, a user or a hashtag;
// see OnRender. Title, Description and Head may be altered. Texts are escaped where they are put; Head is trusted as
// it is.
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

// Tags makes a handler of OnRender("post") run for pages of posts alone.
func (e *RenderEvent) Tags() []string { return []string{e.Page} }

// OnRender runs before a page of the kinds "post", "user" or "tag", or of any if there are none, is shown to a guest,
// a crawler or whoever makes a link's preview. It runs in the request, outside any transaction, and at each request,
// also when the page that they have is still right. A handler that does not call e.Next(), and returns no error,
// makes the page the 404 of something that is not there; an error is the answer.
func (s *Social) OnRender(pages ...string) *hook.TaggedHook[*RenderEvent] {
	return hook.NewTaggedHook(&s.events.render, pages...)
}

func (s *Social) bindSharePages() {
	pages := []web.Route{
		{Path: "/p/{id}", Summary: "A public post as a page, for people without the app and for previews.", ErrorStatuses: []int{404}, Handle: func(e *core.RequestEvent) error {
			return s.renderPage(e, sharepage.PostPage, e.Request.PathValue("id"))
		}},
		{Path: "/@{handle}", Summary: "A person's public posts as a page.", ErrorStatuses: []int{404}, IsElsewhere: true}, // see serveUserPage
		{Path: "/tags/{name}", Summary: "The public posts of a hashtag as a page.", ErrorStatuses: []int{404}, Handle: func(e *core.RequestEvent) error {
			return s.renderPage(e, sharepage.TagPage, e.Request.PathValue("name"))
		}},
		{Path: "/sitemap.xml", Internal: true, Handle: web.ServeSitemap},
		{Path: "/sitemap/{part}", Internal: true, Handle: web.ServeSitemapPart},
		{Path: "/robots.txt", Internal: true, Handle: func(e *core.RequestEvent) error {
			return web.RespondCached(e, http.StatusOK, "text/plain; charset=utf-8", sharepage.RobotsText(e.App))
		}},
		{Path: "/page.css", Internal: true, Handle: func(e *core.RequestEvent) error {
			return web.RespondCached(e, http.StatusOK, "text/css; charset=utf-8", sharepage.CSS)
		}},
		{Path: "/page.js", Internal: true, Handle: func(e *core.RequestEvent) error {
			return web.RespondCached(e, http.StatusOK, "text/javascript; charset=utf-8", sharepage.JS)
		}},
	}
	for _, r := range pages {
		r.Method, r.YieldsToOwner = http.MethodGet, true
		if !r.Internal {
			r.ContentType = "text/html"
		}
		s.routes = append(s.routes, r)
	}
}

// serveUserPage answers /@handle, which no pattern of a route can express.
func (s *Social) serveUserPage(e *core.RequestEvent) error {
	handle, ours := strings.CutPrefix(e.Request.URL.Path, "/@")
	if !ours {
		return e.Next()
	}
	return web.AnswerWithPage(e, s.renderPage(e, sharepage.UserPage, handle))
}

// renderPage answers with a page, or with the 404 of what is missing. Shared caches keep a page for half a minute at
// most, and browsers ask each time, so that it is hardly seen longer than what it shows.
func (s *Social) renderPage(e *core.RequestEvent, load func(app core.App, name string) (*sharepage.Page, error), name string) error {
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
		body, err := sharepage.MissingPage(e.App)
		if err != nil {
			return err
		}
		e.Response.Header().Set("Cache-Control", "no-store")
		return web.Respond(e, http.StatusNotFound, "text/html; charset=utf-8", body)
	}
	body, err := p.RenderHTML()
	if err != nil {
		return err
	}
	return web.RespondCached(e, http.StatusOK, "text/html; charset=utf-8", body)
}
