package hooks_test

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/internal/testenv"
	"github.com/pocketbase/pocketbase/core"
)

// rssFeed is what a feed reader reads of RSS.
type rssFeed struct {
	Channel struct {
		Title string `xml:"title"`
		Link  string `xml:"link"`
		Items []struct {
			Title       string `xml:"title"`
			Link        string `xml:"link"`
			Published   string `xml:"pubDate"`
			Description string `xml:"description"`
		} `xml:"item"`
	} `xml:"channel"`
}

func TestPeopleAndHashtagsHaveFeeds(t *testing.T) {
	testenv.SkipSequential(t)
	s := newPageService(t)
	ada := s.As("ada")
	open := ada.Post(`dusk <b>& more</b> #sea`, "alts", `["A \"red\" sky"]`)
	ada.Post("friends #sea", "visibility", "followers")
	s.RunJobs()
	for _, at := range []string{"/@ada", "/tags/sea"} {
		a := s.Guest().Must(200, "GET", at+"/feed.xml", nil)
		var feed rssFeed
		if err := xml.Unmarshal([]byte(a.Raw), &feed); err != nil {
			t.Fatal(err)
		}
		if len(feed.Channel.Items) != 1 || feed.Channel.Link != appURL+at || feed.Channel.Items[0].Link != appURL+"/p/"+open || feed.Channel.Items[0].Published == "" {
			t.Errorf("%s has the feed %+v", at, feed)
		}
		text := feed.Channel.Items[0].Description
		if !strings.Contains(text, "dusk &lt;b&gt;&amp; more&lt;/b&gt;") || !strings.Contains(text, `alt="A &#34;red&#34; sky"`) || !strings.Contains(text, `src="`+appURL+`/api/files/posts/`) {
			t.Errorf("the HTML of a post in a feed: %s", text)
		}
		var items struct {
			Version string
			Items   []struct {
				URL   string `json:"url"`
				HTML  string `json:"content_html"`
				Image string `json:"image"`
			}
		}
		b := s.Guest().Must(200, "GET", at+"/feed.json", nil)
		if err := json.Unmarshal([]byte(b.Raw), &items); err != nil {
			t.Fatal(err)
		}
		if len(items.Items) != 1 || items.Items[0].URL != appURL+"/p/"+open || items.Items[0].HTML != text || !strings.HasPrefix(items.Items[0].Image, appURL+"/api/files/") {
			t.Errorf("%s has the JSON feed %+v", at, items)
		}
		if kind := b.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/feed+json") {
			t.Errorf("a JSON feed is %s", kind)
		}
		page := s.Guest().Must(200, "GET", at, nil).Raw
		for _, form := range []string{"xml", "json"} {
			if !strings.Contains(page, `href="`+appURL+at+"/feed."+form+`"`) {
				t.Errorf("%s does not name its feed.%s", at, form)
			}
		}
	}
	missing := s.Guest().Must(404, "GET", "/@nobody", nil).Raw
	ada.Update("users", ada.ID, map[string]any{"private": true})
	for _, at := range []string{"/@ada/feed.xml", "/@ada/feed.json", "/@nobody/feed.xml", "/tags/nothing/feed.json", "/tags/sea/feed.xml"} {
		if a := s.Guest().Must(404, "GET", at, nil); a.Raw != missing {
			t.Errorf("%s tells that there is something", at)
		}
	}
}

func TestAFeedIsAsTheOwnerHasThePage(t *testing.T) {
	testenv.SkipSequential(t)
	s := newPageService(t, func(_ core.App, social *hooks.Social) {
		social.OnRender("user").BindFunc(func(e *hooks.RenderEvent) error {
			if e.Record.GetString("handle") == "ada" {
				return nil // no page
			}
			e.Title = "as the owner has it"
			return e.Next()
		})
	})
	s.As("ada")
	s.As("bob")
	s.Guest().Must(404, "GET", "/@ada/feed.xml", nil)
	if a := s.Guest().Must(200, "GET", "/@bob/feed.json", nil); a.Body["title"] != "as the owner has it" {
		t.Errorf("the feed is called %v", a.Body["title"])
	}
}

func TestPostsCanBeEmbedded(t *testing.T) {
	testenv.SkipSequential(t)
	s := newPageService(t)
	ada := s.As("ada")
	open, closed := ada.Post("dusk"), ada.Post("friends", "visibility", "followers")
	ask := func(status int, query string) map[string]any {
		t.Helper()
		return s.Guest().Must(status, "GET", "/oembed?"+query, nil).Body
	}
	if o := ask(200, "url="+appURL+"/p/"+open); o["type"] != "link" || o["author_name"] != "ada" {
		t.Errorf("before its renditions are made: %v", o)
	}
	s.RunJobs()
	o := ask(200, "url="+appURL+"/p/"+open+"&format=json")
	if o["type"] != "photo" || o["version"] != "1.0" || !strings.HasPrefix(o["url"].(string), appURL+"/api/files/posts/"+open+"/") || o["width"].(float64) < 1 || o["author_url"] != appURL+"/@ada" {
		t.Errorf("a post is embedded as %v", o)
	}
	s.Guest().Must(200, "GET", strings.TrimPrefix(o["url"].(string), appURL), nil)
	if small := ask(200, "url="+appURL+"/p/"+open+"&maxwidth=1"); small["type"] != "link" {
		t.Errorf("where nothing fits: %v", small)
	}
	gone := s.Guest().Must(404, "GET", "/oembed?url="+appURL+"/p/nothing", nil).Raw
	for _, url := range []string{appURL + "/p/" + closed, "https://elsewhere.example/p/" + open, "", appURL + "/@ada", appURL + "/p/" + open + "/x"} {
		if a := s.Guest().Must(404, "GET", "/oembed?url="+url, nil); a.Raw != gone {
			t.Errorf("%q: %s", url, a.Raw)
		}
	}
	ask(501, "format=xml&url="+appURL+"/p/"+open)
	ask(400, "maxwidth=wide&url="+appURL+"/p/"+open)
	page := s.Guest().Must(200, "GET", "/p/"+open, nil).Raw
	if !strings.Contains(page, `type="application/json+oembed"`) {
		t.Error("a page does not say how it is embedded")
	}
}

func TestAddressesInABioAreThePersons(t *testing.T) {
	testenv.SkipSequential(t)
	s := newPageService(t)
	ada := s.As("ada")
	ada.Update("users", ada.ID, map[string]any{"bio": "Photos: https://ada.example/a?b=1, by @bob. javascript:alert(1) http://"})
	page := s.Guest().Must(200, "GET", "/@ada", nil).Raw
	links := pageElements(t, page, "a")
	found := false
	for _, link := range links {
		if link["href"] == "https://ada.example/a?b=1" {
			found = strings.HasPrefix(link["rel"], "me ugc nofollow")
		}
		if strings.HasPrefix(link["href"], "javascript:") {
			t.Error("a script is a link")
		}
	}
	if !found || !strings.Contains(page, `href="/@bob"`) {
		t.Errorf("the bio's links: %v", links)
	}
}
