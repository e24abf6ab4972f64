package hooks_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/logger"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestTheLogTellsNoSecretOfAQuery requests every address that has a secret in its query, at our routes, PocketBase's
// and an owner's, successfully and not, and reads everything that was logged.
func TestTheLogTellsNoSecretOfAQuery(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const secret = "s3cr3t-in-a-query"
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.GET("/owner", func(e *core.RequestEvent) error { return e.String(200, "fine") })
			return e.Next()
		})
	})
	ada := s.As("ada")
	post := ada.Post("hello")
	photo := s.Record("posts", post).GetStringSlice("photos")[0]
	token := ada.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
	s.App.Settings().Logs.MaxDays = 5 // the kit's folders log nothing

	filter := url.QueryEscape(`caption ~ '` + secret + `' && id != "` + secret + `"`)
	paths := []string{
		"/api/files/posts/" + post + "/" + photo + "?thumb=100x100&token=" + token,
		"/api/files/posts/" + post + "/none.jpg?token=" + token,
		"/unsubscribe?t=" + secret,
		"/unsubscribe?" + secret,
		"/api/v1/search?q=" + secret,
		"/api/v1/search?q=x" + secret + "&type=none",
		"/api/collections/users/records?filter=" + filter,
		"/api/collections/posts/records?filter=" + filter,
		"/api/collections/posts/records?filter=" + url.QueryEscape(`caption ~~~ '`+secret+`'`),
		"/api/collections/posts/records?filter=" + url.QueryEscape(`follows('`+secret+`', author) = true`),
		"/api/collections/posts/records?sort=" + secret + "&expand=" + secret,
		"/api/oauth2-redirect?code=" + secret + "&state=" + secret,
		"/owner?key=" + secret + "&again=" + url.QueryEscape("a b\""+secret),
		"/nowhere?" + secret + "=1&x=" + secret,
		"/p/" + post + "?ref=" + secret + "%20" + secret,
	}
	for _, path := range paths {
		for _, who := range []*hookstest.Client{ada, s.Guest()} {
			request, err := http.NewRequest("GET", s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", who.Token)
			request.Header.Set("Referer", "https://example.com/?from="+secret)
			client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			answer, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
	}
	for path, body := range map[string]any{"/api/v1/notifications/read": jsonObject{"before": "no time"}, "/api/v1/moderation/missing00000000": jsonObject{"action": "none"}} {
		ada.Do("POST", path, body)
		s.Admin().Do("POST", path, body)
	}
	s.App.Logger().Warn("webhook failed", "err", `Post "https://peer.example/hook?key=`+secret+`": refused`)
	ada.Must(404, "GET", "/last?x="+secret, nil)

	lines := ""
	for range 200 { // a line is written after its answer
		if err := s.App.Logger().Handler().(*logger.BatchHandler).WriteAll(context.WithValue(t.Context(), logger.BlockKey, true)); err != nil {
			t.Fatal(err)
		}
		var rows []string
		if err := s.App.AuxDB().NewQuery(`SELECT message || ' ' || data FROM _logs`).Column(&rows); err != nil {
			t.Fatal(err)
		}
		lines = strings.Join(rows, "\n")
		if strings.Contains(lines, "/last?x=*") && strings.Contains(lines, "/hook?key=*") && len(rows) >= 20 {
			break
		}
		ada.Must(404, "GET", "/last?x="+secret, nil)
	}
	for _, want := range []string{"GET /api/collections/posts/records?filter=*", "/p/" + post + "?ref=*", "/hook?key=*", "?from=*", "thumb=*&token=*", "GET /owner?key=*&again=*"} {
		if !strings.Contains(lines, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if strings.Contains(lines, `"status":0`) || !strings.Contains(lines, `/api/v1/notifications/read`) {
		t.Errorf("a request in the log has no status: %s", lines)
	}
	for _, hidden := range []string{secret, token} {
		for _, line := range strings.Split(lines, "\n") {
			if strings.Contains(line, hidden) {
				t.Errorf("the log tells a secret: %s", line)
			}
		}
	}
}

func TestFiguresAreForWhoHasTheTokenAndInDevelopmentForThisMachine(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	for _, test := range []struct {
		mode, token, sent, via string
		want                   int
	}{
		{"", "", "", "", 401},
		{"production", "", "", "", 401},
		{"development", "", "", "", 200},
		{"development", "", "", "203.0.113.7", 401},
		{"", "abc", "Bearer abc", "203.0.113.7", 200},
		{"development", "abc", "", "", 401},
		{"development", "abc", "Bearer ab", "", 401},
	} {
		t.Setenv("DOUBLETAP_MODE", test.mode)
		t.Setenv("DOUBLETAP_METRICS_TOKEN", test.token)
		request, err := http.NewRequest("GET", s.URL+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", test.sent)
		if test.via != "" {
			request.Header.Set("X-Forwarded-For", test.via)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != test.want {
			t.Errorf("%+v: status %d", test, answer.StatusCode)
		}
	}
}
