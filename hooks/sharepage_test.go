package hooks_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/net/html"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

const appURL = "https://photos.example"

// newPageService starts a service that knows its address and name.
func newPageService(t *testing.T, owners ...func(core.App, *hooks.Social)) *hookstest.Service {
	t.Helper()
	s := hookstest.New(t, owners...)
	s.Admin().Must(200, "PATCH", "/api/settings", map[string]any{"meta": map[string]any{"appName": "Photos", "appURL": appURL + "/", "senderName": "x", "senderAddress": "x@example.com"}})
	return s
}

// pageElements returns the elements of a page with their attributes, by name.
func pageElements(t *testing.T, page, name string) []map[string]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			one := map[string]string{}
			for _, a := range n.Attr {
				one[a.Key] = a.Val
			}
			if n.FirstChild != nil {
				one[""] = n.FirstChild.Data
			}
			all = append(all, one)
		}
	}
	return all
}

// metaContent returns what a page says about itself under a name.
func metaContent(t *testing.T, page, name string) string {
	t.Helper()
	for _, m := range pageElements(t, page, "meta") {
		if m["property"] == name || m["name"] == name {
			return m["content"]
		}
	}
	return ""
}

func TestAPostHasAPageAndAPreview(t *testing.T) {
	t.Parallel()
	s := newPageService(t)
	ada := s.As("ada")
	post := ada.Post("Dusk with @bob\nat the #Sea", "alts", `["A red sky"]`, "place", "Brighton")
	s.RunJobs()
	s.As("bob").Like(post)
	a := s.Guest().Must(200, "GET", "/p/"+post, nil)
	file := s.Record("posts", post).GetStringSlice("photos")[0]
	for name, want := range map[string]string{
		"og:title": "ada on Photos: “Dusk with @bob at the #Sea”", "description": "Dusk with @bob at the #Sea", "og:description": "Dusk with @bob at the #Sea", "og:url": appURL + "/p/" + post,
		"og:type": "article", "og:site_name": "Photos", "og:image": appURL + "/api/files/posts/" + post + "/" + file + "?thumb=1080x1080f", "og:image:width": "64", "og:image:height": "48", "og:image:alt": "A red sky",
		"twitter:card": "summary_large_image", "robots": "",
	} {
		if got := metaContent(t, a.Raw, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if kind := a.Header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
		t.Errorf("the page is %s", kind)
	}
	if !strings.HasPrefix(a.Header.Get("Content-Security-Policy"), "default-src 'self';") {
		t.Errorf("the policy is %q", a.Header.Get("Content-Security-Policy"))
	}
	for _, want := range []string{`<a href="/@bob">@bob</a>`, `<a href="/tags/sea">#Sea</a>`, "1 like<", "0 comments<", `href="/#/p/` + post + `"`, "Brighton", `<bdi>ada</bdi>`, `width="64" height="48"`} {
		if !strings.Contains(a.Raw, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	// a guest can open what the page links to
	image := strings.TrimPrefix(metaContent(t, a.Raw, "og:image"), appURL)
	if photo := s.Guest().Must(200, "GET", image, nil); photo.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("the image of the preview is %s", photo.Header.Get("Content-Type"))
	}
	for _, path := range []string{pageElements(t, a.Raw, "img")[1]["src"], "/@ada", "/tags/sea", "/icon.svg", pageElements(t, a.Raw, "link")[2]["href"]} {
		s.Guest().Must(200, "GET", path, nil)
	}
	var thing map[string]any
	if err := json.Unmarshal([]byte(pageElements(t, a.Raw, "script")[0][""]), &thing); err != nil || pageElements(t, a.Raw, "script")[0]["type"] != "application/ld+json" {
		t.Fatal("the page's data:", err)
	}
	author, _ := thing["author"].(map[string]any)
	if thing["@type"] != "SocialMediaPosting" || thing["url"] != appURL+"/p/"+post || author["url"] != appURL+"/@ada" || thing["articleBody"] != "Dusk with @bob\nat the #Sea" {
		t.Errorf("the page's data is %v", thing)
	}
}

func TestPeopleAndHashtagsHavePages(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newPageService(t)
	ada := s.As("ada")
	ada.Update("users", ada.ID, map[string]any{"name": "Ada Byron", "bio": "Engines. #sea"})
	post := ada.Post("#海 at #SeaSide")
	ada.Post("only for followers #sea", "visibility", "followers")
	a := s.Guest().Must(200, "GET", "/@ADA", nil)
	if metaContent(t, a.Raw, "og:title") != "Ada Byron (@ada) on Photos" || metaContent(t, a.Raw, "og:url") != appURL+"/@ada" || metaContent(t, a.Raw, "description") != "Engines. #sea" {
		t.Errorf("ada's page says %q of her", metaContent(t, a.Raw, "og:title"))
	}
	if n := strings.Count(a.Raw, `href="/p/`); n != 1 || !strings.Contains(a.Raw, "/p/"+post) {
		t.Errorf("ada's page shows %d posts: %s", n, a.Raw)
	}
	for _, path := range []string{"/tags/seaside", "/tags/SeaSide", "/tags/%E6%B5%B7"} {
		if a := s.Guest().Must(200, "GET", path, nil); !strings.Contains(a.Raw, "/p/"+post) || metaContent(t, a.Raw, "og:image") == "" {
			t.Errorf("%s does not show the post", path)
		}
	}
	if a := s.Guest().Must(200, "GET", "/tags/%E6%B5%B7", nil); metaContent(t, a.Raw, "og:url") != appURL+"/tags/%E6%B5%B7" || metaContent(t, a.Raw, "og:title") != "#海 on Photos" {
		t.Errorf("the page of 海 is at %q", metaContent(t, a.Raw, "og:url"))
	}
	s.Guest().Must(404, "GET", "/tags/sea", nil)

	ada.Update("users", ada.ID, map[string]any{"private": true})
	a = s.Guest().Must(200, "GET", "/@ada", nil)
	if strings.Contains(a.Raw, "/p/") || metaContent(t, a.Raw, "robots") != "noindex" || !strings.Contains(a.Raw, "private") {
		t.Errorf("the page of a private account is %s", a.Raw)
	}
}

// What a guest may not see and what does not exist get the same answer, whoever asks.
func TestAPageIsForGuestsOrNotThere(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newPageService(t)
	ada, bob := s.As("ada"), s.As("bob")
	bob.Follow("ada")
	tagged := func(name string) string { return "/tags/" + name }
	public := ada.Post("public")
	followers := ada.Post("x #tagfollowers", "visibility", "followers")
	private := ada.Post("x #tagprivate", "visibility", "private")
	hidden := ada.Post("x #taghidden")
	s.Admin().Update("posts", hidden, map[string]any{"hidden": true})
	gone := ada.Post("x #taggone")
	ada.Delete("posts", gone)
	banned := ada.Post("x #tagbanned")
	tag, err := s.App.FindFirstRecordByData("hashtags", "name", "tagbanned")
	if err != nil {
		t.Fatal(err)
	}
	s.Admin().Update("hashtags", tag.Id, map[string]any{"banned": true})
	s.Guest().Must(200, "GET", "/p/"+banned, nil)

	missing := s.Guest().Must(404, "GET", "/p/nothinghere0000", nil)
	if missing.Header.Get("Cache-Control") != "no-store" || metaContent(t, missing.Raw, "robots") != "noindex" {
		t.Errorf("what is missing may be kept: %v", missing.Header)
	}
	same := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			for _, c := range []*hookstest.Client{s.Guest(), ada, bob, s.Admin()} {
				a := c.Do("GET", path, nil)
				a.Header.Del("Date")
				missing.Header.Del("Date")
				if a.Status != 404 || a.Raw != missing.Raw || fmt.Sprint(a.Header) != fmt.Sprint(missing.Header) {
					t.Errorf("%s gets %s: %d %v %s", c.Name, path, a.Status, a.Header, a.Raw)
				}
			}
		}
	}
	same("/p/"+followers, "/p/"+private, "/p/"+hidden, "/p/"+gone, "/p/x", "/p/'%20OR%201=1", tagged("tagfollowers"), tagged("tagprivate"), tagged("taghidden"), tagged("taggone"), tagged("tagbanned"), tagged("never"),
		"/@", "/@nobody", "/@ada/followers", "/@%25", "/@a'%20OR%20''='")

	// a block between two people changes nothing for guests
	ada.Block("bob")
	bob.Must(200, "GET", "/p/"+public, nil)

	ada.Update("users", ada.ID, map[string]any{"private": true})
	same("/p/" + public)
	ada.Update("users", ada.ID, map[string]any{"private": false})
	s.Guest().Must(200, "GET", "/p/"+public, nil)
	s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
	same("/p/"+public, "/@ada")
	s.Admin().Update("users", ada.ID, map[string]any{"state": "active"})
	ada = s.As("ada") // her sessions have ended
	ada.Delete("users", ada.ID)
	same("/p/"+public, "/@ada")
}

func TestPagesAreAskedForAgain(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newPageService(t)
	ada := s.As("ada")
	post := ada.Post("before #sea")
	for _, path := range []string{"/p/" + post, "/@ada", "/tags/sea", "/sitemap.xml", "/sitemap/posts-0.xml", "/robots.txt"} {
		a := s.Guest().Must(200, "GET", path, nil)
		if b := s.Guest().Must(200, "GET", path, nil); a.Raw != b.Raw {
			t.Errorf("%s differs from itself", path)
		}
		tag := a.Header.Get("ETag")
		if !regexp.MustCompile(`^W/"[0-9a-f]+"$`).MatchString(tag) || a.Header.Get("Cache-Control") != "public, max-age=0, s-maxage=30" {
			t.Errorf("%s has the tag %s, to be kept as %s", path, tag, a.Header.Get("Cache-Control"))
		}
		if status := statusFor(t, s, "GET", path, tag); status != 304 {
			t.Errorf("%s again: %d, want 304", path, status)
		}
		if status := statusFor(t, s, "GET", path, `"other", `+strings.TrimPrefix(tag, "W/")); status != 304 {
			t.Errorf("%s again, with others: %d, want 304", path, status)
		}
		if status := statusFor(t, s, "HEAD", path, ""); status != 200 {
			t.Errorf("HEAD %s: %d", path, status)
		}
	}
	tag := s.Guest().Must(200, "GET", "/p/"+post, nil).Header.Get("ETag")
	ada.Update("posts", post, map[string]any{"caption": "after"})
	if status := statusFor(t, s, "GET", "/p/"+post, tag); status != 200 {
		t.Errorf("a changed post: %d, want 200", status)
	}
	tag = s.Guest().Must(200, "GET", "/p/"+post, nil).Header.Get("ETag")
	ada.Update("posts", post, map[string]any{"visibility": "private"})
	for _, known := range []string{tag, "*"} {
		if status := statusFor(t, s, "GET", "/p/"+post, known); status != 404 {
			t.Errorf("a post that is public no more: %d, want 404", status)
		}
	}
}

// What people write is only text: no element, attribute, script or link of theirs gets into a page.
func TestWhatPeopleWriteStaysText(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newPageService(t)
	s.Admin().Must(200, "PATCH", "/api/settings", map[string]any{"meta": map[string]any{"appName": `P"><script>alert(1)</script>`, "appURL": appURL, "senderName": "x", "senderAddress": "x@example.com"}})
	ada := s.As("ada")
	for i, hostile := range []string{
		`</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `<!--<script>`, `]]></title><svg onload=alert(1)>`, `{{.Head}} ${alert(1)} \u003cscript\u003e`,
		`javascript:alert(1)`, "\u202egnp.exe\u2066 \u200f\u0000 x\x7f", strings.Repeat("W", 2190), `</title></head><body onload=alert(1)>`, "a\u2028b\u2029c", `&lt;b&gt; &amp;#60;script&#62;`, `👩‍👩‍👧 🏳️‍🌈 ́́́́́́́́`,
		`#<script> #"onx=1 @ada"><b> #tag'"><i>`,
	} {
		name := []rune(hostile)
		if len(name) > 255 {
			name = name[:255]
		}
		ada.Update("users", ada.ID, map[string]any{"name": string(name), "bio": string(name[:min(len(name), 250)]) + " #safe"})
		alts, _ := json.Marshal([]string{hostile})
		place := string(name[:min(len(name), 120)])
		post := ada.Post(hostile+"\n#safe", "alts", string(alts), "place", place)
		for _, path := range []string{"/p/" + post, "/@ada", "/tags/safe"} {
			a := s.Guest().Do("GET", path, nil)
			if a.Status != 200 {
				t.Errorf("%d: %s: %d %s", i, path, a.Status, a.Raw)
				continue
			}
			scripts := pageElements(t, a.Raw, "script")
			if len(scripts) != 1 || scripts[0]["type"] != "application/ld+json" {
				t.Errorf("%d: %s has the scripts %v", i, path, scripts)
			}
			var thing map[string]any
			if err := json.Unmarshal([]byte(scripts[0][""]), &thing); err != nil {
				t.Errorf("%d: %s: the data is %s: %v", i, path, scripts[0][""], err)
			}
			if path[1] == 'p' && !strings.Contains(hostile, "\x00") && thing["articleBody"] != s.Record("posts", post).GetString("caption") {
				t.Errorf("%d: the data says %q", i, thing["articleBody"])
			}
			if len(pageElements(t, a.Raw, "svg"))+len(pageElements(t, a.Raw, "b"))+len(pageElements(t, a.Raw, "i"))+len(pageElements(t, a.Raw, "style"))+len(pageElements(t, a.Raw, "iframe")) != strings.Count(a.Raw, "<b>") || strings.Contains(a.Raw, "<i>") {
				t.Errorf("%d: %s has elements of somebody's", i, path)
			}
			for _, element := range []string{"img", "a", "body", "meta", "p", "bdi", "span", "title", "html", "head", "article", "li"} {
				for _, one := range pageElements(t, a.Raw, element) {
					for key, value := range one {
						if strings.HasPrefix(key, "on") || (key == "href" || key == "src") && !strings.HasPrefix(value, "/") {
							t.Errorf("%d: %s: <%s %s=%q>", i, path, element, key, value)
						}
					}
				}
			}
			if title := metaContent(t, a.Raw, "og:title"); strings.ContainsAny(title, "\u202e\u2066\u200f\n") || len([]rune(title)) > 250 {
				t.Errorf("%d: %s is titled %q", i, path, title)
			}
		}
	}
}

func TestTheSitemapNamesWhatGuestsMaySee(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newPageService(t)
	ada, bob := s.As("ada"), s.As("bob")
	public := ada.Post("a #sea")
	private := ada.Post("b #secret", "visibility", "private")
	bobs := bob.Post("c")
	bob.Update("users", bob.ID, map[string]any{"private": true})
	s.Admin().Update("users", s.User("eve").Id, map[string]any{"state": "suspended"})

	robots := s.Guest().Must(200, "GET", "/robots.txt", nil)
	if !strings.Contains(robots.Raw, "Sitemap: "+appURL+"/sitemap.xml\n") {
		t.Errorf("robots.txt is %s", robots.Raw)
	}
	var index struct {
		Parts []struct {
			Loc string `xml:"loc"`
		} `xml:"sitemap"`
	}
	a := s.Guest().Must(200, "GET", "/sitemap.xml", nil)
	if err := xml.Unmarshal([]byte(a.Raw), &index); err != nil || len(index.Parts) != 3 {
		t.Fatalf("the sitemap is %s: %v", a.Raw, err)
	}
	all := ""
	for _, part := range index.Parts {
		var urls struct {
			XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
			URLs    []struct {
				Loc string `xml:"loc"`
			} `xml:"url"`
		}
		a := s.Guest().Must(200, "GET", strings.TrimPrefix(part.Loc, appURL), nil)
		if err := xml.Unmarshal([]byte(a.Raw), &urls); err != nil {
			t.Fatal(err)
		}
		for _, u := range urls.URLs {
			all += u.Loc + "\n"
			s.Guest().Must(200, "GET", strings.TrimPrefix(u.Loc, appURL), nil)
		}
	}
	for _, want := range []string{"/p/" + public + "\n", "/@ada\n", "/@carol\n", "/tags/sea\n"} {
		if !strings.Contains(all, appURL+want) {
			t.Errorf("the sitemap lacks %s", want)
		}
	}
	for _, secret := range []string{private, bobs, "secret", "/@bob", "/@eve"} {
		if strings.Contains(all, secret) {
			t.Errorf("the sitemap tells of %s", secret)
		}
	}
	for _, none := range []string{"posts-1.xml", "posts--1.xml", "posts-00.xml", "posts.xml", "settings-0.xml", "x", "posts-99999999999999999999.xml", "posts-9223372036854775.xml"} {
		s.Guest().Must(404, "GET", "/sitemap/"+none, nil)
	}

	_, err := s.App.NonconcurrentDB().NewQuery(`INSERT INTO posts (id, author, visibility, photos, created, updated)
		WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 7000) SELECT printf('p%014d', i), '` + ada.ID + `', 'public', '["a.jpg"]', '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z' FROM c`).Execute()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for n := range 2 {
		a := s.Guest().Must(200, "GET", fmt.Sprintf("/sitemap/posts-%d.xml", n), nil)
		locs := regexp.MustCompile(`<loc>([^<]+)</loc>`).FindAllStringSubmatch(a.Raw, -1)
		if len(locs) > 5000 {
			t.Errorf("part %d has %d addresses", n, len(locs))
		}
		for _, loc := range locs {
			if seen[loc[1]] {
				t.Fatalf("%s is there twice", loc[1])
			}
			seen[loc[1]] = true
		}
	}
	if len(seen) != 7001 {
		t.Errorf("the parts have %d posts, want 7001", len(seen))
	}
}

func TestAnOwnerAltersPagesOrTakesThemBack(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newPageService(t, func(_ core.App, social *hooks.Social) {
		social.OnRender("post").BindFunc(func(e *hooks.RenderEvent) error {
			switch {
			case strings.Contains(e.Record.GetString("caption"), "veto"):
				return nil
			case strings.Contains(e.Record.GetString("caption"), "fail"):
				return e.Request.ForbiddenError("Not today.", errors.New("on purpose"))
			}
			e.Title, e.Description = `Mine <&"'>`, "Said otherwise"
			e.Head = `<meta name="owner" content="me">`
			return e.Next()
		})
	})
	ada := s.As("ada")
	a := s.Guest().Must(200, "GET", "/p/"+ada.Post("x"), nil)
	for name, want := range map[string]string{"og:title": `Mine <&"'>`, "twitter:title": `Mine <&"'>`, "description": "Said otherwise", "owner": "me"} {
		if got := metaContent(t, a.Raw, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(pageElements(t, a.Raw, "script")[0][""], `"headline":"Mine \u003c\u0026\"'\u003e"`) && !strings.Contains(pageElements(t, a.Raw, "script")[0][""], `Mine \u003c`) {
		t.Errorf("the data is %s", pageElements(t, a.Raw, "script")[0][""])
	}
	missing := s.Guest().Must(404, "GET", "/p/nothinghere0000", nil)
	if a := s.Guest().Must(404, "GET", "/p/"+ada.Post("veto"), nil); a.Raw != missing.Raw {
		t.Errorf("a veto is told: %s", a.Raw)
	}
	s.Guest().Must(403, "GET", "/p/"+ada.Post("fail"), nil)
	if a := s.Guest().Must(200, "GET", "/@ada", nil); metaContent(t, a.Raw, "og:title") != "@ada on Photos" {
		t.Error("a handler for posts changed another page")
	}
}

func TestAnOwnersRouteComesFirst(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.GET("/robots.txt", func(e *core.RequestEvent) error { return e.String(200, "mine") })
			return e.Next()
		})
	})
	if a := s.Guest().Must(200, "GET", "/robots.txt", nil); a.Raw != "mine" {
		t.Errorf("robots.txt is %s", a.Raw)
	}
	s.Guest().Must(200, "GET", "/@ada", nil)
}

func BenchmarkSharePage(b *testing.B) {
	s := hookstest.New(b)
	populatePeople(b, s)
	post := s.As("ada").Post("Dusk with @bob at the #sea, and more words as people write them")
	for range 30 {
		s.As("ada").Post("again at the #sea")
	}
	s.RunJobs()
	for name, path := range map[string]string{"post": "/p/" + post, "user": "/@ada", "tag": "/tags/sea", "missing": "/p/nothinghere0000", "sitemap": "/sitemap.xml", "part": "/sitemap/posts-3.xml"} {
		b.Run(name, func(b *testing.B) { measureGet(b, s.URL+path) })
	}
}
