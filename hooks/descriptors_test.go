package hooks_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestStreamsCannotTakeAllDescriptors(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	p := startProgram(t, s, programMaxFilesEnv+"=120")
	streams := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	open, refused := 0, 0
	for range 200 {
		answer, err := streams.Get(p.url + "/api/realtime")
		if err != nil {
			t.Fatalf("stream %d: %v", open+refused, err)
		}
		t.Cleanup(func() { answer.Body.Close() })
		switch answer.StatusCode {
		case http.StatusOK:
			open++
		case http.StatusServiceUnavailable:
			refused++
			body, _ := io.ReadAll(answer.Body)
			if answer.Header.Get("Retry-After") == "" || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") ||
				!strings.Contains(string(body), `"status":503`) || !answer.Close {
				t.Fatalf("refused with %v %s", answer.Header, body)
			}
		default:
			t.Fatalf("stream %d is answered %d", open+refused, answer.StatusCode)
		}
	}
	if open < 30 || refused < 80 {
		t.Errorf("%d streams are open, %d were refused", open, refused)
	}
	for range 50 { // each on a connection of its own
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		answer, err := streams.Get(p.url + "/api/collections/posts/records/" + post)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("a request beside the streams is answered %v %v", answer, err)
		}
		answer.Body.Close()
	}
}
