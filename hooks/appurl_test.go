package hooks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// sendRequest sends a request to a program as somebody, and returns the answer's body.
func (p *programProcess) sendRequest(token, method, path, body string) string {
	p.t.Helper()
	status, text := askServer(p.t, token, method, p.url+path, body)
	if status >= 400 {
		p.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return text
}

// expectLinks fails unless every link of the program begins with an address.
func (p *programProcess) expectLinks(to string) {
	p.t.Helper()
	for path, want := range map[string]string{
		"/robots.txt":  "Sitemap: " + to + "/sitemap.xml",
		"/sitemap.xml": "<loc>" + to + "/sitemap/",
		"/@ada":        `<link rel="canonical" href="` + to + `/@ada">`,
	} {
		if got := p.sendRequest("", "GET", path, ""); !strings.Contains(got, want) {
			p.t.Errorf("%s says %s, want %s", path, got, want)
		}
	}
}

func TestTheApplicationURLFollowsTheListenerUntilItIsSet(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s := hookstest.New(t)
	s.As("ada").Post("hello")
	admin := s.Admin().Token
	p := startProgram(t, s)
	p.expectLinks(p.url)
	settings := func() map[string]any {
		var all map[string]any
		if err := json.Unmarshal([]byte(p.sendRequest(admin, "GET", "/api/settings", "")), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := settings()
	meta := all["meta"].(map[string]any)
	if meta["appURL"] != p.url {
		t.Errorf("the dashboard shows %v, want %s", meta["appURL"], p.url)
	}
	meta["appName"] = "Photos"
	whole, err := json.Marshal(all) // as the dashboard saves it
	if err != nil {
		t.Fatal(err)
	}
	p.sendRequest(admin, "PATCH", "/api/settings", string(whole))
	p.expectLinks(p.url)
	p.sendTerminate()
	if err := p.waitForExit(); err != nil {
		t.Fatal(err)
	}

	if said := p.stderr.String(); !strings.Contains(said, "no application URL in the settings: pages, mails and push messages link to "+p.url) || !strings.Contains(said, "mail comes from support@example.com") {
		t.Errorf("the start says %s", said)
	}

	former := p.url
	p = startProgram(t, s)
	if p.url == former {
		t.Skip("the same port again")
	}
	p.expectLinks(p.url)
	if got := settings()["meta"].(map[string]any)["appName"]; got != "Photos" {
		t.Errorf("the name is %v", got)
	}
	p.sendRequest(admin, "PATCH", "/api/settings", `{"meta": {"appName": "Photos", "appURL": "https://photos.example.com/", "senderName": "Photos", "senderAddress": "post@example.com"}}`)
	p.expectLinks("https://photos.example.com")
	p.sendTerminate()
	if err := p.waitForExit(); err != nil {
		t.Fatal(err)
	}
	p = startProgram(t, s)
	p.expectLinks("https://photos.example.com")
	p.sendTerminate()
	if err := p.waitForExit(); err != nil {
		t.Fatal(err)
	}
	if said := p.stderr.String(); strings.Contains(said, "application URL") || strings.Contains(said, "support@") || !strings.Contains(said, "no SMTP server") && !strings.Contains(said, "neither an SMTP server") {
		t.Errorf("the start says %s", said)
	}
}
