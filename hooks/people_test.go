package hooks_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// browse asks as a browser does that shows a page, without following redirections.
func browse(t *testing.T, s *hookstest.Service, method, path string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// TestPeopleAreAnsweredWithPages opens addresses at which there is nothing in a browser.
func TestPeopleAreAnsweredWithPages(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/nope": {404, "Nothing to see here"}, "/lib/nope.js": {404, "Nothing to see here"}, "/p/nothing": {404, "Nothing to see here"}, "/@nobody": {404, "Nothing to see here"},
		"/tags/nothing": {404, "Nothing to see here"}, "/lib": {404, "Nothing to see here"},
		"/unsubscribe": {400, "This link does not work"}, "/unsubscribe?t=a.b.c": {400, "This link does not work"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			a, body := browse(t, s, method, path)
			if a.StatusCode != want.status || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || method == "GET" && !strings.Contains(body, want.says) {
				t.Errorf("%s %s in a browser: %d, %s: %s", method, path, a.StatusCode, a.Header.Get("Content-Type"), body)
			}
			if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: policy %q", path, policy)
			}
		}
	}
	if a, body := browse(t, s, "POST", "/unsubscribe?t=x"); a.StatusCode != 400 || !strings.Contains(body, "This link does not work") {
		t.Errorf("the button of a broken page: %d: %s", a.StatusCode, body)
	}
	for _, path := range []string{"/nope", "/lib/nope.js", "/api/nope", "/api/v1/nope"} {
		if a := s.Guest().Must(404, "GET", path, nil); a.Body["status"] != 404.0 {
			t.Errorf("%s for a program: %s", path, a.Raw)
		}
	}
	if a, body := browse(t, s, "GET", "/api/nope"); !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		t.Errorf("/api/nope in a browser: %s", body)
	}
}

// TestASlashTooManyLeadsThere follows addresses that somebody has put a slash behind.
func TestASlashTooManyLeadsThere(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("look #sea")
	s.RunJobs()
	for path, to := range map[string]string{
		"/p/" + post + "/": "/p/" + post, "/@ada/": "/@ada", "/tags/sea/?x=1": "/tags/sea?x=1", "/docs/api/": "/docs/api", "/unsubscribe/?t=a": "/unsubscribe?t=a",
		"/tags/%23a/": "/tags/%23a", "/%5C%5Celsewhere.example/": "/%5C%5Celsewhere.example",
	} {
		if a, _ := browse(t, s, "GET", path); a.StatusCode != 301 || a.Header.Get("Location") != to {
			t.Errorf("%s leads to %d %q, want %q", path, a.StatusCode, a.Header.Get("Location"), to)
		}
	}
	for _, path := range []string{"//elsewhere.example/", "/\\elsewhere.example/", "/\t/elsewhere.example/"} {
		request, err := http.NewRequest("GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.Opaque = path
		a, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			continue // the server did not take it
		}
		_ = a.Body.Close()
		if to := a.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`) || strings.Contains(to, "://") {
			t.Errorf("%q leads elsewhere: %q", path, to)
		}
	}
	if a := s.Guest().Must(404, "GET", "/api/nope/", nil); a.Header.Get("Location") != "" {
		t.Error("a program is led elsewhere")
	}
}
