package hooks

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/fault"
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
			return s.renderPage(e, sharepage.PostPage, e.Request.PathValue("id"), htmlForm)
		}},
		{Path: "/@{handle}", Summary: "A person's public posts as a page.", ErrorStatuses: []int{404}, IsElsewhere: true}, // see serveUserPage
		{Path: "/tags/{name}", Summary: "The public posts of a hashtag as a page.", ErrorStatuses: []int{404}, Handle: func(e *core.RequestEvent) error {
			return s.renderPage(e, sharepage.TagPage, e.Request.PathValue("name"), htmlForm)
		}},
		{Path: "/tags/{name}/feed.xml", Internal: true, Handle: func(e *core.RequestEvent) error {
			return s.renderPage(e, sharepage.TagPage, e.Request.PathValue("name"), feedForms["/feed.xml"])
		}},
		{Path: "/tags/{name}/feed.json", Internal: true, Handle: func(e *core.RequestEvent) error {
			return s.renderPage(e, sharepage.TagPage, e.Request.PathValue("name"), feedForms["/feed.json"])
		}},
		s.embedRoute(),
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
		if !r.Internal && r.ResponseBody == nil {
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
	form := htmlForm
	for suffix, feed := range feedForms {
		if name, asked := strings.CutSuffix(handle, suffix); asked {
			handle, form = name, feed
		}
	}
	return web.AnswerWithPage(e, s.renderPage(e, sharepage.UserPage, handle, form))
}

// pageForm is one of the forms in which a page is sent.
type pageForm struct {
	contentType string
	isFeed      bool
	write       func(*sharepage.Page) ([]byte, error)
}

var (
	htmlForm  = pageForm{"text/html; charset=utf-8", false, (*sharepage.Page).RenderHTML}
	feedForms = map[string]pageForm{
		"/feed.xml":  {"application/rss+xml; charset=utf-8", true, (*sharepage.Page).RSS},
		"/feed.json": {"application/feed+json; charset=utf-8", true, (*sharepage.Page).JSONFeed},
	}
)

// embedRoute describes posts to pages of others that show them (oEmbed).
func (s *Social) embedRoute() web.Route {
	return web.Route{
		Path: "/oembed", Summary: "A public post for pages that embed it (oEmbed 1.0).", ResponseBody: sharepage.OEmbed{}, ErrorStatuses: []int{404, 501},
		Query: []web.QueryParameter{{Name: "url", About: "the address of the post's page"}, {Name: "maxwidth", About: "how wide the photo may be"}, {Name: "maxheight", About: "how high"}, {Name: "format", About: "json"}},
		Handle: func(e *core.RequestEvent) error {
			asked := e.Request.URL.Query()
			if format := asked.Get("format"); format != "" && format != "json" {
				return e.Error(http.StatusNotImplemented, "Only json is spoken here.", nil)
			}
			most := [2]int{}
			for i, name := range []string{"maxwidth", "maxheight"} {
				if text := asked.Get(name); text != "" {
					n, err := strconv.Atoi(text)
					if err != nil || n < 1 {
						return fault.InvalidField(name, "validation_invalid_size", "Must be a number from 1 on.")
					}
					most[i] = n
				}
			}
			p, err := s.loadPage(e, sharepage.PostPage, sharepage.PostInURL(sharepage.BaseURL(e.App), asked.Get("url")))
			if err != nil {
				return err
			}
			if p == nil {
				return fault.NotFound()
			}
			e.Response.Header().Set("Access-Control-Allow-Origin", "*") // pages of others ask from the browser
			e.Response.Header().Set("Cache-Control", "public, max-age=0, s-maxage=30")
			return e.JSON(http.StatusOK, p.Embed(most[0], most[1]))
		},
	}
}

// renderPage answers with a page, or with the 404 of what is missing. Shared caches keep a page for half a minute at
// most, and browsers ask each time, so that it is hardly seen longer than what it shows.
func (s *Social) renderPage(e *core.RequestEvent, load loadFunc, name string, form pageForm) error {
	p, err := s.loadPage(e, load, name)
	if err != nil {
		return err
	}
	if p == nil || form.isFeed && !p.Feed {
		body, err := sharepage.MissingPage(e.App)
		if err != nil {
			return err
		}
		e.Response.Header().Set("Cache-Control", "no-store")
		return web.Respond(e, http.StatusNotFound, "text/html; charset=utf-8", body)
	}
	body, err := form.write(p)
	if err != nil {
		return err
	}
	return web.RespondCached(e, http.StatusOK, form.contentType, body)
}

// loadFunc returns the page of a name, or nil if a guest may not see it.
type loadFunc func(app core.App, name string) (*sharepage.Page, error)

// loadPage returns a page as the hooks leave it, or nil for what is missing.
func (s *Social) loadPage(e *core.RequestEvent, load loadFunc, name string) (*sharepage.Page, error) {
	p, err := load(e.App, name)
	if err != nil || p == nil || s.events.render.Length() == 0 {
		return p, err
	}
	shown := false
	event := &RenderEvent{App: e.App, Request: e, Page: p.Kind, Record: p.Record, Title: p.Title, Description: p.Description}
	err = s.events.render.Trigger(event, func(r *RenderEvent) error {
		shown = true
		p.Title, p.Description, p.Head = r.Title, r.Description, r.Head
		return nil
	})
	if err != nil || !shown {
		return nil, err
	}
	return p, nil
}
