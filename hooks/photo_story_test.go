package hooks_test

import (
	"bytes"
	"image"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// shareStory shares a photo for a day and returns the story and the photo's path.
func shareStory(c *hookstest.Client, photo []byte, fields map[string]string) (id, path string) {
	a := c.Create("stories", &hookstest.Upload{Fields: fields, Files: map[string][]byte{"photo": photo}})
	return a.ID(), "/api/files/stories/" + a.ID() + "/" + a.Body["photo"].(string)
}

// fileToken returns what somebody adds to a photo's address.
func fileToken(c *hookstest.Client) string {
	return "token=" + c.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
}

var digitsPattern = regexp.MustCompile(`\d+`)

func TestPhotoOfAStory(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Run("takes the way of a post's", func(t *testing.T) {
		s := newPhotoService(t)
		ada := s.As("ada")
		story, path := shareStory(ada, phonePhoto(), nil)
		status, _, body := fetchPath(t, s, path+"?thumb=640x640f") // no job has run
		if picture, _, err := image.DecodeConfig(bytes.NewReader(body)); status != 200 || err != nil || picture.Height != 640 {
			t.Errorf("before the job: %d %v", status, err)
		}
		_, early := shareStory(ada, phototest.Fixture("phone.heic"), nil)
		if !strings.HasSuffix(early, ".jpg") {
			t.Errorf("a HEIC is stored as %s", early)
		}
		if n := s.Rows("jobs", "kind = 'photo.render'"); n != 2 {
			t.Errorf("%d jobs wait", n)
		}
		s.RunJobs()
		if n := len(storedKeys(t, s)); n != 2*(1+len(photoSizes)+1) {
			t.Errorf("%d files are stored, want two photos, all of their sizes and what is known of them", n)
		}
		for size, side := range photoSizes {
			status, header, body := fetchPath(t, s, path+"?thumb="+size)
			picture, kind, err := image.DecodeConfig(bytes.NewReader(body))
			if status != 200 || err != nil || kind != "jpeg" || max(picture.Width, picture.Height) != side || picture.Width > picture.Height {
				t.Errorf("%s: %d %s %dx%d %v", size, status, kind, picture.Width, picture.Height, err)
			}
			if status, _, _ := fetchPath(t, s, path+"?thumb="+size, "If-None-Match", header.Get("ETag")); status != 304 {
				t.Errorf("%s again: %d, want 304", size, status)
			}
		}
		eachStoredFile(t, s, expectNoSecrets(t))
		if status, header, _ := fetchPath(t, s, path+"?thumb=5000x5000"); status != 404 || header.Get("Cache-Control") != "no-store" {
			t.Errorf("an unknown size: %d %s", status, header.Get("Cache-Control"))
		}

		_, _, full := fetchPath(t, s, path)
		_, _, large := fetchPath(t, s, path+"?thumb=1920x1920f")
		_, _, others := fetchPath(t, s, path+"?"+fileToken(s.As("bob")))
		_, header, original := fetchPath(t, s, path+"?"+fileToken(ada))
		if !bytes.Equal(full, large) || !bytes.Equal(others, large) {
			t.Error("without a size it is not the 1920")
		}
		if picture, _, err := image.DecodeConfig(bytes.NewReader(original)); err != nil || picture.Width != 1600 || !strings.HasPrefix(header.Get("Cache-Control"), "private") {
			t.Errorf("the author gets %dx%d %v %s", picture.Width, picture.Height, err, header.Get("Cache-Control"))
		}
		ada.Delete("stories", story)
		if status, header, _ := fetchPath(t, s, path); status != 404 || header.Get("Cache-Control") != "no-store" {
			t.Errorf("of a story deleted: %d %s", status, header.Get("Cache-Control"))
		}
	})
	t.Run("that is none, or could hurt, is a refusal of the field", func(t *testing.T) {
		s := newPhotoService(t)
		ada := s.As("ada")
		bad := phototest.ImageBombs()
		bad["truncated"] = phonePhoto()[:len(phonePhoto())/4]
		bad["text"] = []byte("this is no photo")
		for _, name := range slices.Sorted(maps.Keys(bad)) {
			a := ada.Do("POST", "/api/collections/stories/records", &hookstest.Upload{Files: map[string][]byte{"photo": bad[name]}})
			data, _ := a.Body["data"].(map[string]any)
			if a.Status != 400 || data["photo"] == nil {
				t.Errorf("%s: %d %.200s", name, a.Status, a.Raw)
			}
		}
		eachStoredFile(t, s, func(path string, _ []byte) { t.Errorf("%s is stored", path) })
	})
	t.Run("is kept by no cache for longer than its story", func(t *testing.T) {
		purged := func(_ core.App, social *hooks.Social) {
			social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error { return e.Next() })
		}
		for public, owners := range map[string][]func(core.App, *hooks.Social){
			"public, max-age=N, s-maxage=N, immutable": nil,
			"public, max-age=N, immutable":             {purged},
		} {
			s := newPhotoService(t, owners...)
			ada, bob := s.As("ada"), s.As("bob")
			story, path := shareStory(ada, hookstest.Photo(), nil)
			for _, left := range []time.Duration{24 * time.Hour, 10 * time.Minute, 30 * time.Second} {
				s.Admin().Update("stories", story, jsonObject{"expires": clock.FormatTime(clock.Now(s.App).Add(left))})
				for query, want := range map[string]string{
					"?thumb=640x640f": public, "?thumb=640x640f&" + fileToken(bob): "private, max-age=N", "?" + fileToken(ada): "private, max-age=N",
				} {
					_, header, _ := fetchPath(t, s, path+query)
					said := header.Get("Cache-Control")
					if got := digitsPattern.ReplaceAllString(said, "N"); got != want {
						t.Errorf("with %v left, %s: %q, want %q", left, query, got, want)
					}
					for i, text := range digitsPattern.FindAllString(said, -1) {
						most := left
						if want != public {
							most = min(left, 5*time.Minute)
						} else if i == 1 {
							most = min(left, time.Minute)
						}
						seconds, _ := strconv.Atoi(text)                                                             // it is a number
						if kept := time.Duration(seconds) * time.Second; kept > most || kept < most-20*time.Second { // some seconds pass meanwhile
							t.Errorf("with %v left, %s: %q, want about %v", left, query, said, most)
						}
					}
				}
			}
			backdateStory(s, story)
			for _, query := range []string{"", "?thumb=640x640f", "?thumb=640x640f&" + fileToken(bob), "?" + fileToken(bob)} {
				if status, header, _ := fetchPath(t, s, path+query); status != 404 || header.Get("Cache-Control") != "no-store" {
					t.Errorf("when it is over, %s: %d %s", query, status, header.Get("Cache-Control"))
				}
			}
			if status, header, _ := fetchPath(t, s, path+"?thumb=640x640f&"+fileToken(ada)); status != 200 || header.Get("Cache-Control") != "private, max-age=0" {
				t.Errorf("when it is over, to its author: %d %s", status, header.Get("Cache-Control"))
			}
		}
		s := newPhotoService(t, purged)
		cache := startVarnish(t, s.URL)
		story, path := shareStory(s.As("ada"), hookstest.Photo(), nil)
		s.Admin().Update("stories", story, jsonObject{"expires": clock.FormatTime(clock.Now(s.App).Add(10 * time.Minute))})
		askCache(t, cache, path)
		if status, hit, keeps := askCache(t, cache, path); status != 200 || !hit || keeps <= 0 || keeps > 600 {
			t.Errorf("a shared cache: %d, from the cache: %v, for %v s", status, hit, keeps)
		}
	})
	t.Run("for followers needs a token and the right to see it, at once", func(t *testing.T) {
		s := newPhotoService(t)
		ada, bob, carol := s.As("ada"), s.As("bob"), s.As("carol")
		bob.Follow("ada")
		_, path := shareStory(ada, hookstest.Photo(), map[string]string{"visibility": "followers"})
		bobs := "&" + fileToken(bob)
		for who, test := range map[string]struct {
			token string
			want  int
		}{"guest": {"", 404}, "bob": {bobs, 200}, "carol": {"&" + fileToken(carol), 404}, "ada": {"&" + fileToken(ada), 200}} {
			status, header, _ := fetchPath(t, s, path+"?thumb=640x640f"+test.token)
			if status != test.want {
				t.Errorf("%s: %d, want %d", who, status, test.want)
			}
			if cache := header.Get("Cache-Control"); status == 200 && !strings.HasPrefix(cache, "private") || status == 404 && cache != "no-store" {
				t.Errorf("%s may keep it: %q", who, cache)
			}
		}
		ada.Block("bob")
		if status, _, _ := fetchPath(t, s, path+"?thumb=640x640f"+bobs); status != 404 {
			t.Errorf("bob after the block: %d", status)
		}
	})
	for name, close := range map[string]func(s *hookstest.Service, story string){
		"is deleted": func(s *hookstest.Service, story string) { s.As("ada").Delete("stories", story) },
		"is over": func(s *hookstest.Service, story string) {
			execSQL(t, s.App, "UPDATE stories SET expires = '"+clock.FormatTime(time.Now())+"' WHERE id = '"+story+"'")
			runStoryExpiry(s)
		},
		"becomes its followers'": func(s *hookstest.Service, story string) {
			s.Admin().Update("stories", story, jsonObject{"visibility": "followers"})
		},
		"ends before its time": func(s *hookstest.Service, story string) { backdateStory(s, story) },
		"is of somebody who turns private": func(s *hookstest.Service, _ string) {
			s.As("ada").Update("users", s.User("ada").Id, jsonObject{"private": true})
		},
		"is of somebody suspended": func(s *hookstest.Service, _ string) {
			s.Admin().Update("users", s.User("ada").Id, jsonObject{"state": "suspended"})
		},
		"is of somebody who leaves": func(s *hookstest.Service, _ string) { s.As("ada").Delete("users", s.User("ada").Id) },
	} {
		t.Run("that "+name+" is 404 at once, and purged", func(t *testing.T) {
			var purged []string
			s := newPhotoService(t, func(_ core.App, social *hooks.Social) {
				social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error {
					purged = append(purged, e.URLs...)
					return e.Next()
				})
			})
			story, path := shareStory(s.As("ada"), hookstest.Photo(), nil)
			other, its := shareStory(s.As("bob"), hookstest.Photo(), nil)
			path, its = path+"?thumb=640x640f", its+"?thumb=640x640f"
			for _, url := range []string{path, its} {
				if status, _, _ := fetchPath(t, s, url); status != 200 {
					t.Fatalf("before: %d", status)
				}
			}
			close(s, story)
			if status, header, _ := fetchPath(t, s, path); status != 404 || header.Get("Cache-Control") != "no-store" {
				t.Errorf("a guest is answered %d %s", status, header.Get("Cache-Control"))
			}
			s.RunJobs()
			if !slices.Contains(purged, path) || slices.Contains(purged, its) {
				t.Errorf("%d addresses are purged, want that of %s and not of %s", len(purged), story, other)
			}
		})
	}
	t.Run("leaves no file when its day is over", func(t *testing.T) {
		s := newPhotoService(t)
		shareStory(s.As("ada"), phonePhoto(), nil)
		s.RunJobs()
		s.Advance(24 * time.Hour)
		runStoryExpiry(s)
		s.RunJobs()
		for tick := time.NewTicker(20 * time.Millisecond); len(storedKeys(t, s)) > 0; <-tick.C { // PocketBase deletes them beside the job
			if t.Context().Err() != nil {
				t.Fatalf("%v are left", storedKeys(t, s))
			}
		}
	})
	t.Run("that a crash left without its story is collected, once it is settled", func(t *testing.T) {
		s := newPhotoService(t)
		story, _ := shareStory(s.As("ada"), hookstest.Photo(), nil)
		s.RunJobs()
		fsys, err := s.App.NewFilesystem()
		if err != nil {
			t.Fatal(err)
		}
		defer fsys.Close()
		own := storedKeys(t, s)
		for _, key := range own {
			if err := fsys.Copy(key, strings.Replace(key, story, "orphan000000000", 1)); err != nil {
				t.Fatal(err)
			}
		}
		s.Advance(2 * time.Hour)
		for _, j := range s.App.Cron().Jobs() {
			if j.Id() == "photo.collect" {
				j.Run()
			}
		}
		s.RunJobs()
		if got := storedKeys(t, s); !slices.Equal(got, own) {
			t.Errorf("%v are left, want %v", got, own)
		}
	})
}
