package web

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/limit"
)

// newLimitedRequest returns a request as the middleware sees it, by somebody who is signed in unless it is a guest's.
func newLimitedRequest(app core.App, method, path, pattern string, isGuest bool) *core.RequestEvent {
	e := &core.RequestEvent{App: app}
	e.Request = httptest.NewRequest(method, path, nil)
	e.Request.Pattern = pattern
	e.Response = httptest.NewRecorder()
	if !isGuest {
		e.Auth = core.NewRecord(core.NewAuthCollection("users"))
		e.Auth.Id = "person000000000"
	}
	return e
}

// TestCountingARequestAllocatesNothing counts what the commonest requests pay for the limits: a few times ten nanoseconds for the
// cell, see the benchmark, and no garbage.
func TestCountingARequestAllocatesNothing(t *testing.T) {
	t.Setenv(limit.EnvVariable, "on")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	for name, e := range map[string]*core.RequestEvent{
		"a read":           newLimitedRequest(app, http.MethodGet, "/api/collections/feed/records", "GET /api/collections/{collection}/records", false),
		"a guest's read":   newLimitedRequest(app, http.MethodGet, "/api/collections/posts/records", "GET /api/collections/{collection}/records", true),
		"a photo":          newLimitedRequest(app, http.MethodGet, "/api/files/posts/x/y.jpg", "GET /api/files/{collection}/{recordId}/{filename}", true),
		"an unlike":        newLimitedRequest(app, http.MethodDelete, "/api/collections/likes/records/x", "DELETE /api/collections/{collection}/records/{id}", false),
		"a guest's health": newLimitedRequest(app, http.MethodGet, "/api/health", "GET /api/health", true),
	} {
		if allocated := testing.AllocsPerRun(100, func() {
			if err := CheckLimits(e); err != nil {
				t.Fatal(err)
			}
		}); allocated != 0 {
			t.Errorf("%s allocates %f times", name, allocated)
		}
	}
}

// TestARequestWithoutAnAddressSettles signs in over a socket that has none, more often at once than there are units.
func TestARequestWithoutAnAddressSettles(t *testing.T) {
	t.Setenv(limit.EnvVariable, "sign-in-address=1/1h")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	for range 3 {
		e := newLimitedRequest(app, http.MethodPost, "/api/collections/users/auth-with-otp", authPattern("auth-with-otp"), true)
		e.Request.RemoteAddr = "@"
		if err := CheckLimits(e); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkCheckLimits(b *testing.B) {
	for name, setting := range map[string]string{"on": "reads=1000000000/1h,reads-address=1000000000/1h", "off": "off"} {
		for who, isGuest := range map[string]bool{"signed in": false, "guest": true} {
			b.Run(name+", "+who, func(b *testing.B) {
				b.Setenv(limit.EnvVariable, setting)
				app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir()})
				e := newLimitedRequest(app, http.MethodGet, "/api/collections/feed/records", "GET /api/collections/{collection}/records", isGuest)
				b.ReportAllocs()
				for b.Loop() {
					if err := CheckLimits(e); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
