package hooks_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// varnishRules make Varnish forget what a PURGE names, as its owner would write them, and report what it does.
const varnishRules = `vcl 4.1;
backend default { .host = "%s"; .port = "%s"; }
sub vcl_recv {
	if (req.method == "PURGE") { return (purge); }
}
sub vcl_deliver {
	set resp.http.X-Hits = obj.hits;
	set resp.http.X-Keeps = obj.ttl;
}
`

// startVarnish starts a shared cache in front of the service. It ends with the test; the result is its URL.
func startVarnish(t *testing.T, service string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(service, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "varnish") // a short path, as it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.WriteFile(dir+"/rules.vcl", fmt.Appendf(nil, varnishRules, host, port), 0o644); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := socket.Addr().String()
	socket.Close()
	said, err := os.Create(dir + "/said")
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := phototest.RequireProgram(t, "varnishd", "-F", "-n", dir+"/work", "-j", "none", "-a", address, "-f", dir+"/rules.vcl", "-s", "malloc,64m")
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		<-ended
	})
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		if response, err := http.Get("http://" + address + "/api/health"); err == nil {
			response.Body.Close()
			return "http://" + address
		}
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(dir + "/said")
			t.Fatalf("varnish ended: %v\n%s", err, text)
		default:
		}
	}
}

// askCache returns a cache's answer, whether it came from its memory, and for how many seconds the cache means to
// keep it.
func askCache(t *testing.T, cache, path string) (status int, hit bool, keeps float64) {
	t.Helper()
	response, err := http.Get(cache + path)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	keeps, _ = strconv.ParseFloat(response.Header.Get("X-Keeps"), 64)
	return response.StatusCode, response.Header.Get("X-Hits") != "0", keeps
}

func TestPhotoCaches(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	path := func(post, file string) string { return "/api/files/posts/" + post + "/" + file + "?thumb=640x640f" }
	t.Run("that somebody purges keep a photo for good, until it is public no more", func(t *testing.T) {
		var cache string
		s := newPhotoService(t, func(_ core.App, social *hooks.Social) {
			social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error {
				for _, url := range e.URLs {
					request, _ := http.NewRequest("PURGE", cache+url, nil)
					response, err := http.DefaultClient.Do(request)
					if err != nil {
						return err
					}
					response.Body.Close()
				}
				return e.Next()
			})
		})
		cache = startVarnish(t, s.URL)
		for name, close := range map[string]func(c *hookstest.Client, post string){
			"private": func(c *hookstest.Client, post string) {
				c.Update("posts", post, map[string]any{"visibility": "private"})
			},
			"deleted": func(c *hookstest.Client, post string) { c.Delete("posts", post) },
		} {
			ada := s.As("ada")
			post, file := sharePhoto(ada, hookstest.Photo(), nil)
			other, its := sharePhoto(ada, hookstest.Photo(), nil)
			for range 2 {
				askCache(t, cache, path(post, file))
				askCache(t, cache, path(other, its))
			}
			if status, hit, keeps := askCache(t, cache, path(post, file)); status != 200 || !hit || keeps < 30_000_000 {
				t.Fatalf("public: %d, from the cache: %v, for %v s", status, hit, keeps)
			}
			close(ada, post)
			s.RunJobs()
			if status, hit, _ := askCache(t, cache, path(post, file)); status != 404 || hit {
				t.Errorf("%s: %d, from the cache: %v", name, status, hit)
			}
			if status, hit, _ := askCache(t, cache, path(post, file)); status != 404 || hit {
				t.Errorf("%s, again: %d, from the cache: %v", name, status, hit)
			}
			if status, hit, _ := askCache(t, cache, path(other, its)); status != 200 || !hit {
				t.Errorf("another photo: %d, from the cache: %v", status, hit)
			}
		}
	})
	t.Run("that nobody purges keep it a minute", func(t *testing.T) {
		s := newPhotoService(t)
		cache := startVarnish(t, s.URL)
		post, file := sharePhoto(s.As("ada"), hookstest.Photo(), nil)
		askCache(t, cache, path(post, file))
		if status, hit, keeps := askCache(t, cache, path(post, file)); status != 200 || !hit || keeps <= 0 || keeps > 60 {
			t.Errorf("%d, from the cache: %v, for %v s", status, hit, keeps)
		}
	})
	t.Run("keep nothing that needs a token", func(t *testing.T) {
		s := newPhotoService(t)
		cache := startVarnish(t, s.URL)
		ada := s.As("ada")
		post, file := sharePhoto(ada, hookstest.Photo(), map[string]string{"visibility": "private"})
		token := "&token=" + ada.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		for range 2 {
			if status, hit, _ := askCache(t, cache, path(post, file)+token); status != 200 || hit {
				t.Errorf("%d, from the cache: %v", status, hit)
			}
		}
	})
}
