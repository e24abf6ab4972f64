package hooks_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestPhotoSight(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Run("of a post that is not public needs a token and the right to see it, at once", func(t *testing.T) {
		s := newPhotoService(t)
		ada, bob := s.As("ada"), s.As("bob")
		bob.Follow("ada")
		post, file := sharePhoto(ada, hookstest.Photo(), nil)
		path := "/api/files/posts/" + post + "/" + file + "?thumb=640x640f"
		fetchPath(t, s, path)
		ada.Update("posts", post, map[string]any{"visibility": "followers"})
		token := func(c *hookstest.Client) string {
			return "&token=" + c.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		}
		for who, test := range map[string]struct {
			token string
			want  int
		}{"guest": {"", 404}, "bob": {token(bob), 200}, "carol": {token(s.As("carol")), 404}} {
			status, header, _ := fetchPath(t, s, path+test.token)
			if status != test.want {
				t.Errorf("%s: %d, want %d", who, status, test.want)
			}
			if cache := header.Get("Cache-Control"); status == 200 && !strings.HasPrefix(cache, "private") || status == 404 && cache != "no-store" {
				t.Errorf("%s may keep it: %q", who, cache)
			}
		}
		bobs := token(bob)
		ada.Block("bob")
		if status, _, _ := fetchPath(t, s, path+bobs); status != 404 {
			t.Errorf("bob after the block: %d", status)
		}
	})
	for name, close := range map[string]func(s *hookstest.Service, post string){
		"a post that becomes private": func(s *hookstest.Service, post string) {
			s.As("ada").Update("posts", post, map[string]any{"visibility": "private"})
		},
		"a post that becomes its followers'": func(s *hookstest.Service, post string) {
			s.As("ada").Update("posts", post, map[string]any{"visibility": "followers"})
		},
		"a post that is hidden": func(s *hookstest.Service, post string) {
			s.Admin().Update("posts", post, map[string]any{"hidden": true})
		},
		"a post that is deleted": func(s *hookstest.Service, post string) { s.As("ada").Delete("posts", post) },
		"an author who becomes private": func(s *hookstest.Service, _ string) {
			ada := s.As("ada")
			ada.Update("users", ada.ID, map[string]any{"private": true})
		},
		"an author who is suspended": func(s *hookstest.Service, _ string) {
			s.Admin().Update("users", s.User("ada").Id, map[string]any{"state": "suspended"})
		},
		"an author who leaves":                 func(s *hookstest.Service, _ string) { ada := s.As("ada"); ada.Delete("users", ada.ID) },
		"an author who blocks who looks at it": func(s *hookstest.Service, _ string) { s.As("ada").Block("bob") },
	} {
		t.Run("of "+name+" is 404 at once, and purged", func(t *testing.T) {
			var purged []string
			s := newPhotoService(t, func(_ core.App, social *hooks.Social) {
				social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error {
					purged = append(purged, e.URLs...)
					return e.Next()
				})
			})
			post, file := sharePhoto(s.As("ada"), hookstest.Photo(), nil)
			path := "/api/files/posts/" + post + "/" + file + "?thumb=640x640f"
			token := "&token=" + s.As("bob").Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
			for _, url := range []string{path, path + token} {
				if status, _, _ := fetchPath(t, s, url); status != 200 {
					t.Fatalf("before: %d", status)
				}
			}
			close(s, post)
			status, header, _ := fetchPath(t, s, path+token)
			if status != 404 || header.Get("Cache-Control") != "no-store" {
				t.Errorf("bob is answered %d %s", status, header.Get("Cache-Control"))
			}
			if strings.Contains(name, "blocks") { // it is still public, and hidden from bob alone
				return
			}
			if status, header, _ := fetchPath(t, s, path); status != 404 || header.Get("Cache-Control") != "no-store" {
				t.Errorf("a guest is answered %d %s", status, header.Get("Cache-Control"))
			}
			s.RunJobs()
			if !slices.Contains(purged, path) {
				t.Errorf("%s is not among the %d that are purged", path, len(purged))
			}
			purged = nil
			s.Advance(2 * time.Minute)
			s.RunJobs()
			if !slices.Contains(purged, path) {
				t.Error("what was on its way meanwhile is not purged")
			}
		})
	}
	t.Run("is kept for good by shared caches only under addresses that are purged", func(t *testing.T) {
		s := newPhotoService(t, func(_ core.App, social *hooks.Social) {
			social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error { return e.Next() })
		})
		post, file := sharePhoto(s.As("ada"), hookstest.Photo(), nil)
		token := s.As("bob").Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		name := "/" + post + "/" + file
		collection := s.Record("posts", post).Collection().Id
		for url, want := range map[string]string{
			"posts" + name:                                    "public, max-age=31536000, immutable",
			"posts" + name + "?thumb=640x640f":                "public, max-age=31536000, immutable",
			collection + name + "?thumb=320x320":              "public, max-age=31536000, immutable",
			"posts" + name + "?thumb=640x640f&x=1":            "public, max-age=31536000, s-maxage=60, immutable",
			"POSTS" + name + "?thumb=640x640f":                "public, max-age=31536000, s-maxage=60, immutable",
			"posts" + name + "?thumb=640%780f":                "no-store", // none of our sizes
			"posts" + name + "?thumb=640%78640f":              "public, max-age=31536000, s-maxage=60, immutable",
			"posts" + name + "?thumb=640x640f&token=" + token: "private, max-age=300",
		} {
			if _, header, _ := fetchPath(t, s, "/api/files/"+url); header.Get("Cache-Control") != want {
				t.Errorf("%s: %q, want %q", url, header.Get("Cache-Control"), want)
			}
		}
	})
	for name, close := range map[string]func(s *hookstest.Service, ada *hookstest.Client){
		"is suspended": func(s *hookstest.Service, ada *hookstest.Client) {
			s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
		},
		"takes another": func(_ *hookstest.Service, ada *hookstest.Client) {
			ada.Must(200, "PATCH", "/api/collections/users/records/"+ada.ID, &hookstest.Upload{Files: map[string][]byte{"avatar": hookstest.Photo()}})
		},
		"wants none": func(_ *hookstest.Service, ada *hookstest.Client) {
			ada.Update("users", ada.ID, map[string]any{"avatar": ""})
		},
	} {
		t.Run("of a person who "+name+" is purged too", func(t *testing.T) {
			var purged []string
			s := newPhotoService(t, func(_ core.App, social *hooks.Social) {
				social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error {
					purged = append(purged, e.URLs...)
					return e.Next()
				})
			})
			ada := s.As("ada")
			avatar := ada.Must(200, "PATCH", "/api/collections/users/records/"+ada.ID, &hookstest.Upload{Files: map[string][]byte{"avatar": phonePhoto()}}).Body["avatar"].(string)
			path := "/api/files/users/" + ada.ID + "/" + avatar + "?thumb=100x100"
			if status, _, _ := fetchPath(t, s, path); status != 200 {
				t.Fatalf("before: %d", status)
			}
			ada.Update("users", ada.ID, map[string]any{"bio": "hello"})
			s.RunJobs()
			if len(purged) > 0 {
				t.Fatalf("another change purges %d", len(purged))
			}
			close(s, ada)
			s.RunJobs()
			if !slices.Contains(purged, path) {
				t.Errorf("%s is not among the %d that are purged", path, len(purged))
			}
		})
	}
}
