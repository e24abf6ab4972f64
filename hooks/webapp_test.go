package hooks_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
)

func TestTheWebAppIsServedSealedAndKept(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	for _, path := range []string{"/", "/app.js", "/vendor/pocketbase.js"} {
		a := s.Guest().Must(200, "GET", path, nil)
		if !strings.HasPrefix(a.Header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s has the policy %q", path, a.Header.Get("Content-Security-Policy"))
		}
		request, _ := http.NewRequest("GET", s.URL+path, nil)
		request.Header.Set("If-None-Match", a.Header.Get("ETag"))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 304 {
			t.Errorf("%s again: %d, want 304", path, response.StatusCode)
		}
	}
	s.Guest().Must(404, "GET", "/nothing.here", nil)
	s.Guest().Must(404, "GET", "/api/nothing", nil)
	s.Guest().Must(404, "GET", "/../main.go", nil)
}
