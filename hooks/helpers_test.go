package hooks_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/limit"
)

func TestMain(m *testing.M) {
	os.Setenv("DOUBLETAP_LIMITS", "off")       // tests of limits turn them on
	os.Setenv("DOUBLETAP_MODE", "development") // tests read metrics
	if os.Getenv(programDirEnv) != "" {
		runProgram()
		return
	}
	debug.SetGCPercent(400) // a seventh less work under the race detector, for memory that tests have
	os.Exit(m.Run())
}

// askServer sends a request to a server of another process as somebody, and returns its answer.
func askServer(t *testing.T, token, method, address, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(read)
}

// skipWithoutFastPath skips a test in the run that turns the fast path off (make general-path-test) if that run adds nothing:
// the test chooses the path itself, or is about what the fast path never answers.
func skipWithoutFastPath(t *testing.T) {
	t.Helper()
	if os.Getenv("DOUBLETAP_FASTPATH") == "off" {
		t.Skip("the same with the fast path and without")
	}
}

// unlikePost takes somebody's like of a post back.
func unlikePost(s *hookstest.Service, name, post string) {
	c := s.As(name)
	for _, like := range c.List("likes", "filter="+escapeQuery("post='"+post+"' && user='"+c.ID+"'")) {
		c.Delete("likes", like["id"].(string))
	}
}

func escapeQuery(s string) string { return url.QueryEscape(s) }

// statusFor returns the status for a sender who has what the tags say.
func statusFor(t *testing.T, s *hookstest.Service, method, path, tags string) int {
	t.Helper()
	request, err := http.NewRequest(method, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tags != "" {
		request.Header.Set("If-None-Match", tags)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// limitRequestsOnlyBy turns the limits of requests off, except those of the names, and leaves what is counted in rows on, such as
// the budgets of mailboxes.
func limitRequestsOnlyBy(t *testing.T, names ...string) {
	t.Helper()
	settings := []string{}
	for _, d := range limit.Definitions {
		if !slices.Contains(names, d.Name) {
			settings = append(settings, d.Name+"=off")
		}
	}
	t.Setenv(limit.EnvVariable, strings.Join(settings, ","))
}
