package hooks_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// decoders decode what a coding of a body has made of it.
var decoders = map[string]func(body io.Reader) (io.Reader, error){
	"":     func(body io.Reader) (io.Reader, error) { return body, nil },
	"gzip": func(body io.Reader) (io.Reader, error) { return gzip.NewReader(body) },
	"zstd": func(body io.Reader) (io.Reader, error) { return zstd.NewReader(body) },
}

// getCoded asks for a path as a client that accepts the codings, and returns the header, the size of the body on the wire and
// the body.
func getCoded(t *testing.T, c *hookstest.Client, url, path, accept string) (http.Header, int, string) {
	t.Helper()
	request, err := http.NewRequest("GET", url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", accept) // Go decodes nothing when it is set by hand
	request.Header.Set("Authorization", c.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	wire, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	decode := decoders[response.Header.Get("Content-Encoding")]
	if decode == nil {
		t.Fatalf("%s comes in the coding %q", path, response.Header.Get("Content-Encoding"))
	}
	plain, err := decode(bytes.NewReader(wire))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return response.Header, len(wire), string(body)
}

// newFullFeed returns a service in which bob's feed, tray and the lists of all are longer than 1 KiB, and a post of his.
func newFullFeed(t *testing.T, setups ...func(core.App, *hooks.Social)) (*hookstest.Service, string) {
	s := hookstest.New(t, setups...)
	ada, bob := s.As("ada"), s.As("bob")
	bob.Follow("ada")
	own := bob.Post("hello")
	for i := range 12 {
		ada.Post(fmt.Sprintf("number %d #sea", i))
		ada.Comment(own, "", strings.Repeat("well ", 20))
	}
	return s, own
}

func TestWhatIsReadIsCompressedForThoseWhoAccept(t *testing.T) {
	testenv.SkipSequential(t)
	s, own := newFullFeed(t)
	bob, guest := s.As("bob"), s.Guest()
	for _, ask := range []struct {
		as   *hookstest.Client
		path string
	}{
		{bob, "/api/collections/feed/records?page=1&perPage=20&skipTotal=1&expand=post"},
		{bob, "/api/collections/feed/records?filter=" + escapeQuery("author.handle='ada'")}, // not by the fast path
		{bob, "/api/collections/comments/records?filter=" + escapeQuery("post='"+own+"'")},
		{guest, "/api/collections/posts/records"},
		{guest, "/p/" + own},
		{guest, "/@ada"},
		{guest, "/sitemap/posts-0.xml"},
		{guest, "/api/v1/openapi.json"},
		{guest, "/api/v1/types.d.ts"},
		{guest, "/docs/api"},
	} {
		header, plainSize, plain := getCoded(t, ask.as, s.URL, ask.path, "identity")
		if coding := header.Get("Content-Encoding"); coding != "" || !strings.Contains(strings.Join(header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s for those who accept nothing: coding %q, Vary %q", ask.path, coding, header.Values("Vary"))
		}
		tag := header.Get("ETag")
		for accept, want := range map[string]string{"gzip": "gzip", "gzip, deflate, br, zstd": "zstd", "zstd;q=0, gzip": "gzip"} {
			header, size, body := getCoded(t, ask.as, s.URL, ask.path, accept)
			if coding := header.Get("Content-Encoding"); coding != want || size >= plainSize*2/3 {
				t.Errorf("%s for %q: coding %q, %d of %d bytes", ask.path, accept, coding, size, plainSize)
			}
			if body != plain {
				t.Errorf("%s for %q is another answer: %s", ask.path, accept, diffLines(plain, body))
			}
			if header.Get("ETag") != tag || tag != "" && !strings.HasPrefix(tag, "W/") {
				t.Errorf("%s has the tag %q, and %q when compressed: bytes differ, so it must be weak", ask.path, tag, header.Get("ETag"))
			}
		}
	}
}

func TestShortAnswersPhotosAndStreamsAreNotCompressed(t *testing.T) {
	testenv.SkipSequential(t)
	s, own := newFullFeed(t)
	bob := s.As("bob")
	photo := bob.Must(200, "GET", "/api/collections/posts/records/"+own, nil).Body["photos"].([]any)[0].(string)
	for _, path := range []string{"/api/health", "/api/collections/posts/records/" + own, "/api/collections/posts/records/unknown", "/api/files/posts/" + own + "/" + photo} {
		if header, _, _ := getCoded(t, bob, s.URL, path, "gzip, zstd"); header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", path)
		}
	}
	stream := bob.With("Accept-Encoding", "gzip, zstd").Listen("notifications/*")
	s.As("carol").Like(own)
	stream.Next()
}

func TestAnOwnersRouteIsCompressedOnce(t *testing.T) {
	testenv.SkipSequential(t)
	text := strings.Repeat("words of an owner ", 200)
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.GET("/own", func(e *core.RequestEvent) error { return e.JSON(200, text) })
			e.Router.GET("/once", func(e *core.RequestEvent) error {
				if err := e.JSON(200, "mine"); err != nil {
					return err
				}
				if !e.Written() {
					return e.JSON(200, "and PocketBase's")
				}
				return nil
			})
			e.Router.GET("/panic", func(*core.RequestEvent) error { panic("an owner's mistake") })
			e.Router.GET("/packed", func(e *core.RequestEvent) error {
				e.Response.Header().Set("Content-Encoding", "gzip")
				e.Response.Header().Set("Content-Type", "application/json")
				w := gzip.NewWriter(e.Response)
				_, err := io.WriteString(w, text)
				if err != nil {
					return err
				}
				return w.Close()
			})
			return e.Next()
		})
	})
	for path, want := range map[string]string{"/own": `"` + text + `"`, "/packed": text} {
		if header, _, body := getCoded(t, s.Guest(), s.URL, path, "gzip"); header.Get("Content-Encoding") != "gzip" || body != want {
			t.Errorf("%s: coding %q, %q", path, header.Get("Content-Encoding"), body)
		}
	}
	if _, _, body := getCoded(t, s.Guest(), s.URL, "/once", "gzip"); body != `"mine"` {
		t.Errorf("a short answer is written twice: %q", body)
	}
	if header, _, body := getCoded(t, s.Guest(), s.URL, "/panic", "gzip"); header.Get("Content-Encoding") != "" || !strings.Contains(body, `"status":500`) {
		t.Errorf("after a panic: coding %q, %q", header.Get("Content-Encoding"), body)
	}
}
