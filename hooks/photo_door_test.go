package hooks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/rendition"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestPhotoThatIsNone(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Run("that is none, or could hurt, is a refusal of the field", func(t *testing.T) {
		s := newPhotoService(t)
		ada := s.As("ada")
		bad := phototest.ImageBombs()
		whole := phonePhoto()
		bad["truncated"] = whole[:len(whole)/4]
		bad["text"] = []byte("this is no photo")
		bad["svg"] = []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
		for _, name := range slices.Sorted(maps.Keys(bad)) {
			a := ada.Do("POST", "/api/collections/posts/records", &hookstest.Upload{Files: map[string][]byte{"photos": bad[name]}})
			data, _ := a.Body["data"].(map[string]any)
			if a.Status != 400 || data["photos"] == nil {
				t.Errorf("%s: %d %.200s", name, a.Status, a.Raw)
			}
		}
		if n := s.Rows("posts", "1") + s.Rows("jobs", "kind = 'photo.render'"); n != 0 {
			t.Errorf("%d rows are stored", n)
		}
		eachStoredFile(t, s, func(path string, _ []byte) { t.Errorf("%s is stored", path) })
	})
	t.Run("of an unknown size, or that cannot be decoded, is 404 and kept by nobody", func(t *testing.T) {
		s := newPhotoService(t)
		ada := s.As("ada")
		post, file := sharePhoto(ada, phonePhoto(), nil)
		broken, its := sharePhoto(ada, phonePhoto(), nil)
		damage(t, s, broken, its)
		paths := []string{"posts/" + post + "/" + file + "?thumb=5000x5000", "posts/" + post + "/" + file + "?thumb=640x640", "posts/" + post + "/nothing.jpg", "posts/" + broken + "/" + its}
		for size := range photoSizes {
			paths = append(paths, "posts/"+broken+"/"+its+"?thumb="+size)
		}
		for _, when := range []string{"before", "after"} {
			for _, path := range paths {
				status, header, body := fetchPath(t, s, "/api/files/"+path)
				if status != 404 || header.Get("Cache-Control") != "no-store" || header.Get("Content-Type") != "application/json" {
					t.Errorf("%s the job, %s: %d %s %.20q", when, path, status, header.Get("Cache-Control"), body)
				}
			}
			s.RunJobs()
		}
		if media := s.Record("posts", broken).GetString("media"); media != "[null]" {
			t.Errorf("what is known of a damaged photo is %s", media)
		}
	})
	t.Run("has the memory that its owner gives, in words that mean something", func(t *testing.T) {
		for text, want := range map[string]int64{"": 512 << 20, "64": 64 << 20, "2048": 2 << 30, "0": 0, "-512": 0, "512MB": 0, "9999999999": 0} {
			t.Setenv("DOUBLETAP_PHOTO_MEMORY", text)
			got, err := rendition.MemoryFromEnv()
			if got != want || (err == nil) != (want > 0) || err != nil && !strings.Contains(err.Error(), "DOUBLETAP_PHOTO_MEMORY is \""+text+"\", want MiB") {
				t.Errorf("%q: %d, %v", text, got, err)
			}
		}
		t.Setenv("DOUBLETAP_PHOTO_MEMORY", "much")
		app := core.NewBaseApp(core.BaseAppConfig{DataDir: dbtest.MigratedFolder(t)})
		hooks.Bind(app)
		if err := app.Bootstrap(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = app.ClearBootstrap() }()
		if err := app.RunAllMigrations(); err != nil {
			t.Fatal(err)
		}
		routes, err := apis.NewRouter(app)
		if err != nil {
			t.Fatal(err)
		}
		err = app.OnServe().Trigger(&core.ServeEvent{App: app, Router: routes, Server: &http.Server{}})
		if err == nil || !strings.Contains(err.Error(), "DOUBLETAP_PHOTO_MEMORY") {
			t.Errorf("it starts: %v", err)
		}
	})
}

func TestPhotoDoor(t *testing.T) {
	skipWithoutFastPath(t)
	t.Run("that could hurt costs next to nothing, four at a time", func(t *testing.T) {
		s := newPhotoService(t)
		ada := s.As("ada")
		for name, bomb := range phototest.ImageBombs() {
			if len(bomb) > 1<<20 {
				continue // heavy to send, so no bomb
			}
			var body bytes.Buffer
			form := multipart.NewWriter(&body)
			part, _ := form.CreateFormFile("photos", "photo.jpg")
			_, _ = part.Write(bomb)
			_ = form.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			took := make([]time.Duration, 4)
			var all sync.WaitGroup
			for i := range took {
				all.Go(func() {
					request, _ := http.NewRequest("POST", s.URL+"/api/collections/posts/records", bytes.NewReader(body.Bytes()))
					request.Header.Set("Content-Type", form.FormDataContentType())
					request.Header.Set("Authorization", ada.Token)
					start := time.Now()
					response, err := http.DefaultClient.Do(request)
					if err != nil {
						t.Error(err)
						return
					}
					response.Body.Close()
					took[i] = time.Since(start)
					if response.StatusCode != 400 {
						t.Errorf("%s: %d", name, response.StatusCode)
					}
				})
			}
			all.Wait()
			runtime.ReadMemStats(&after)
			grown := (after.TotalAlloc - before.TotalAlloc) >> 10 // all that was ever allocated, so no more than that at once
			t.Logf("%s: %v at most, %d kB", name, slices.Max(took), grown)
			if grown > 20<<10 {
				t.Errorf("%s: four of them took %d kB", name, grown)
			}
		}
	})
	t.Run("is asked to come again while others fill the memory", func(t *testing.T) {
		t.Setenv("DOUBLETAP_PHOTO_MEMORY", "64") // of which admission has 32
		light := phototest.EncodeJPEG(phototest.DrawScene(160, 120), 90)
		heavy := append([]byte("\xff\xd8"+strings.Repeat(phototest.JPEGSegment(0xFE, strings.Repeat(".", 65_000)), 200)), light[2:]...)
		stuck, goOn := make(chan struct{}), make(chan struct{})
		s := newPhotoService(t, func(app core.App, _ *hooks.Social) {
			app.OnRecordCreateRequest("posts").BindFunc(func(e *core.RecordRequestEvent) error {
				if e.Record.GetString("caption") == "stuck" {
					file := e.Record.GetUnsavedFiles("photos")[0]
					file.Reader = &slowUpload{file.Reader, stuck, goOn}
				}
				return e.Next()
			})
		})
		ada, bob := s.As("ada"), s.As("bob")
		offer := func(c *hookstest.Client, photo []byte, caption string) hookstest.Answer {
			return c.Do("POST", "/api/collections/posts/records", &hookstest.Upload{Fields: map[string]string{"caption": caption}, Files: map[string][]byte{"photos": photo}})
		}
		var first hookstest.Answer
		var all sync.WaitGroup
		all.Go(func() { first = offer(ada, heavy, "stuck") })
		<-stuck
		if a := offer(bob, heavy, ""); a.Status != 503 || a.Header.Get("Retry-After") == "" {
			t.Errorf("a second heavy photo: %d, again after %q", a.Status, a.Header.Get("Retry-After"))
		}
		if a := offer(bob, light, ""); a.Status != 200 {
			t.Errorf("a light one beside it: %d %s", a.Status, a.Raw)
		}
		close(goOn)
		all.Wait()
		if first.Status != 200 {
			t.Errorf("the first: %d %s", first.Status, first.Raw)
		}
		if a := offer(bob, heavy, ""); a.Status != 200 {
			t.Errorf("the second again: %d %s", a.Status, a.Raw)
		}
		crowd := 8
		if testenv.Race {
			crowd = 3
		}
		for range crowd {
			all.Go(func() {
				if a := offer(bob, heavy, ""); a.Status != 200 {
					t.Errorf("one of many at once: %d %s", a.Status, a.Raw)
				}
			})
		}
		all.Wait()
		if n := s.Rows("posts", "1"); n != 3+crowd {
			t.Errorf("%d posts are stored, want %d", n, 3+crowd)
		}
	})
}

// slowUpload is an upload from a disk that signals when it is read and then takes its time.
type slowUpload struct {
	filesystem.FileReader
	asked, goOn chan struct{}
}

func (s *slowUpload) Open() (io.ReadSeekCloser, error) {
	if s.asked != nil {
		s.asked <- struct{}{}
		s.asked = nil
	}
	<-s.goOn
	return s.FileReader.Open()
}

// damage puts a photo that cannot be decoded into a post's place of storage, as the door let in before it looked inside.
func damage(t *testing.T, s *hookstest.Service, post, file string) {
	t.Helper()
	storage, err := s.App.NewFilesystem()
	if err != nil {
		t.Fatal(err)
	}
	defer storage.Close()
	if err := storage.Upload(phototest.DamagedPNG(), s.Record("posts", post).BaseFilesPath()+"/"+file); err != nil {
		t.Fatal(err)
	}
}

// TestADamagedPhotoIsRefused at every door, also as a part of a batch.
func TestADamagedPhotoIsRefused(t *testing.T) {
	testenv.SkipSequential(t)
	s := newPhotoService(t)
	ada := s.As("ada")
	jpeg := phonePhoto()
	scan := bytes.LastIndex(jpeg, []byte{0xFF, 0xDA})
	copy(jpeg[scan+14:], bytes.Repeat([]byte{0xFF, 0x00}, 100)) // no code is all ones
	for name, photo := range map[string][]byte{"PNG": phototest.DamagedPNG(), "JPEG": jpeg} {
		for _, door := range []struct{ method, path, field string }{
			{"POST", "posts/records", "photos"},
			{"POST", "stories/records", "photo"},
			{"PATCH", "users/records/" + ada.ID, "avatar"},
		} {
			a := ada.Do(door.method, "/api/collections/"+door.path, &hookstest.Upload{Files: map[string][]byte{door.field: photo}})
			data, _ := a.Body["data"].(map[string]any)
			refusal, _ := data[door.field].(map[string]any)
			if a.Status != 400 || refusal["code"] != "photo_broken" {
				t.Errorf("%s at %s %s: %d %.200s", name, door.method, door.path, a.Status, a.Raw)
			}
		}
	}
	for name, photo := range map[string][]byte{"PNG": phototest.DamagedPNG(), "JPEG": jpeg, "empty HEIC": phototest.Fixture("phone.heic")[:2000]} {
		for _, door := range []struct{ method, path, field string }{
			{"POST", "posts/records", "photos"},
			{"POST", "posts/records?fields=id", "photos+"},
			{"POST", "posts/records", "+photos"},
			{"PUT", "posts/records", "photos"},
			{"POST", "stories/records", "photo"},
			{"PATCH", "users/records/" + ada.ID, "avatar"},
			{"PUT", "users/records", "avatar"},
		} {
			a := ada.Do("POST", "/api/batch", &hookstest.Upload{
				Fields: map[string]string{"@jsonPayload": fmt.Sprintf(`{"requests": [
					{"method": "POST", "url": "/api/collections/posts/records", "body": {"caption": "first"}},
					{"method": %q, "url": "/api/collections/%s", "body": {"id": %q}}]}`, door.method, door.path, map[bool]string{true: ada.ID}[strings.HasPrefix(door.path, "users")])},
				Files: map[string][]byte{"requests.0.photos": phonePhoto(), "requests.1." + door.field: photo},
			})
			var refusal struct {
				Data struct {
					Requests map[string]struct {
						Code     string
						Response struct {
							Status int
							Data   map[string]struct{ Code string }
						}
					}
				}
			}
			if err := json.Unmarshal([]byte(a.Raw), &refusal); err != nil {
				t.Fatal(err)
			}
			item := refusal.Data.Requests["1"]
			code := item.Response.Data[strings.Trim(door.field, "+")].Code
			if a.Status != 400 || item.Code != "batch_request_failed" || item.Response.Status != 400 || !strings.HasPrefix(code, "photo_") {
				t.Errorf("%s at %s %s in a batch: %d %.300s", name, door.method, door.path, a.Status, a.Raw)
			}
		}
	}
	if n := s.Rows("posts", "true") + s.Rows("stories", "true"); n != 0 {
		t.Errorf("%d posts and stories are stored", n)
	}
}

// TestABatchBringsEveryKindOfPhoto: those too that are decoded at the door, before the batch begins.
func TestABatchBringsEveryKindOfPhoto(t *testing.T) {
	testenv.SkipSequential(t)
	s := newPhotoService(t)
	a := s.As("ada").Do("POST", "/api/batch", &hookstest.Upload{
		Fields: map[string]string{"@jsonPayload": `{"requests": [{"method": "POST", "url": "/api/collections/posts/records", "body": {}}, {"method": "POST", "url": "/api/collections/stories/records", "body": {}}]}`},
		Files:  map[string][]byte{"requests.0.photos": phonePhoto(), "requests.1.photo": phototest.Fixture("phone.heic")},
	})
	if a.Status != 200 {
		t.Fatalf("%d %.300s", a.Status, a.Raw)
	}
	s.RunJobs()
	if n := s.Rows("posts", "media LIKE '%hash%'"); n != 1 {
		t.Error("the post's photo has no renditions")
	}
	if n := s.Rows("stories", "photo LIKE '%.jpg'"); n != 1 {
		t.Error("the story's HEIC is not stored as a JPEG")
	}
}
