package hooks_test

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/hooks"
	"doubletap/hooks/hookstest"
	"doubletap/internal/photo/phototest"
)

// sizes are what every photo exists in, with the longer side.
var sizes = map[string]int{"1920x1920f": 1600, "1080x1080f": 1080, "640x640f": 640, "320x320f": 320, "320x320": 320, "100x100": 100}

// phone is a photo as a phone stores it: lying on its side, with a position and more.
func phone() []byte { return bytes.Clone(phoned()) }

var phoned = sync.OnceValue(func() []byte {
	return phototest.Phone(phototest.JPEG(phototest.Scene(1600, 1200), 90), 6, "", false)
})

func share(c *hookstest.Client, photo []byte, fields map[string]string) (id, file string) {
	a := c.Create("posts", &hookstest.Upload{Fields: fields, Files: map[string][]byte{"photos": photo}})
	return a.ID(), a.Body["photos"].([]any)[0].(string)
}

func get(t *testing.T, s *hookstest.Service, path string, header ...string) (int, http.Header, []byte) {
	t.Helper()
	request, err := http.NewRequest("GET", s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, body.Bytes()
}

func TestPhoto(t *testing.T) {
	t.Run("comes out upright, in every size, with nothing but the picture", func(t *testing.T) {
		s := hookstest.New(t)
		post, file := share(s.As("ada"), phone(), nil)
		s.RunJobs()
		for size, side := range sizes {
			status, header, body := get(t, s, "/api/files/posts/"+post+"/"+file+"?thumb="+size)
			picture, kind, err := image.DecodeConfig(bytes.NewReader(body))
			if status != 200 || err != nil || kind != "jpeg" || max(picture.Width, picture.Height) != side || picture.Width > picture.Height {
				t.Errorf("%s: %d %s %dx%d %v", size, status, kind, picture.Width, picture.Height, err)
			}
			if header.Get("ETag") == "" || !strings.Contains(header.Get("Cache-Control"), "public, max-age=31536000, s-maxage=60, immutable") {
				t.Errorf("%s may be kept so: %q %q", size, header.Get("ETag"), header.Get("Cache-Control"))
			}
			if status, _, _ := get(t, s, "/api/files/posts/"+post+"/"+file+"?thumb="+size, "If-None-Match", header.Get("ETag")); status != 304 {
				t.Errorf("%s again: %d, want 304", size, status)
			}
		}
		media := s.As("ada").Must(200, "GET", "/api/collections/posts/records/"+post, nil).Body["media"].([]any)[0].(map[string]any)
		if media["w"] != 1200.0 || media["h"] != 1600.0 || media["hash"] == "" || !strings.HasPrefix(media["color"].(string), "#") {
			t.Errorf("media is %v", media)
		}
		everyFile(t, s, func(path string, content []byte) {
			for _, secret := range []string{"GPS", "http://ns.adobe.com", "Exif\x00\x00II*\x00\x08\x00\x00\x00\x05"} {
				if bytes.Contains(content, []byte(secret)) {
					t.Errorf("%s holds %q", path, secret)
				}
			}
		})
	})
	t.Run("is there for who asks before the worker is done", func(t *testing.T) {
		s := hookstest.New(t)
		post, file := share(s.As("ada"), phone(), nil)
		status, _, body := get(t, s, "/api/files/posts/"+post+"/"+file+"?thumb=640x640f") // no job ran
		if picture, _, err := image.DecodeConfig(bytes.NewReader(body)); status != 200 || err != nil || picture.Height != 640 {
			t.Errorf("%d %v", status, err)
		}
		s.RunJobs()
		if s.Record("posts", post).GetString("media") == "" {
			t.Error("media is not stored")
		}
	})
	t.Run("is its author's in the original, everybody else's in 1920", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		post, file := share(ada, phone(), nil)
		path := "/api/files/posts/" + post + "/" + file
		_, _, full := get(t, s, path)
		_, _, large := get(t, s, path+"?thumb=1920x1920f")
		if !bytes.Equal(full, large) {
			t.Error("a photo without a size is not the 1920")
		}
		token := ada.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		_, header, original := get(t, s, path+"?token="+token)
		if picture, _, err := image.DecodeConfig(bytes.NewReader(original)); err != nil || picture.Width != 1600 || !strings.HasPrefix(header.Get("Cache-Control"), "private") {
			t.Errorf("the author gets %dx%d %v %s", picture.Width, picture.Height, err, header.Get("Cache-Control"))
		}
		other := s.As("bob").Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		if _, _, got := get(t, s, path+"?token="+other); !bytes.Equal(got, large) {
			t.Error("somebody else's token gives the original")
		}
	})
	t.Run("of an unknown size, or that cannot be decoded, is 404 and kept by nobody", func(t *testing.T) {
		s := hookstest.New(t)
		post, file := share(s.As("ada"), phone(), nil)
		broken := phone()
		for i := len(broken) / 3; i < len(broken)/3+4000; i += 7 {
			if broken[i] != 0xff && broken[i-1] != 0xff {
				broken[i] ^= 0x55
			}
		}
		paths := []string{"/api/files/posts/" + post + "/" + file + "?thumb=5000x5000", "/api/files/posts/" + post + "/" + file + "?thumb=640x640", "/api/files/posts/" + post + "/nothing.jpg"}
		for _, path := range paths {
			status, header, body := get(t, s, path)
			if status != 404 || header.Get("Cache-Control") != "no-store" || bytes.HasPrefix(body, []byte("\xff\xd8")) {
				t.Errorf("%s: %d %s", path, status, header.Get("Cache-Control"))
			}
		}
		a := s.As("ada").Do("POST", "/api/collections/posts/records", &hookstest.Upload{Files: map[string][]byte{"photos": broken}})
		if a.Status == 200 { // whole from outside: then it shows nothing, or something, never the upload itself
			status, _, body := get(t, s, "/api/files/posts/"+a.ID()+"/"+a.Body["photos"].([]any)[0].(string))
			if status != 404 && status != 200 || bytes.Equal(body, broken) {
				t.Errorf("a damaged photo: %d", status)
			}
		}
	})
	t.Run("of a post that is not public needs a token and the right to see it, at once", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		bob.Follow("ada")
		post, file := share(ada, phone(), nil)
		path := "/api/files/posts/" + post + "/" + file + "?thumb=640x640f"
		get(t, s, path)
		ada.Update("posts", post, map[string]any{"visibility": "followers"})
		token := func(c *hookstest.Client) string {
			return "&token=" + c.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		}
		for who, test := range map[string]struct {
			token string
			want  int
		}{"guest": {"", 404}, "bob": {token(bob), 200}, "carol": {token(s.As("carol")), 404}} {
			status, header, _ := get(t, s, path+test.token)
			if status != test.want {
				t.Errorf("%s: %d, want %d", who, status, test.want)
			}
			if cache := header.Get("Cache-Control"); status == 200 && !strings.HasPrefix(cache, "private") || status == 404 && cache != "no-store" {
				t.Errorf("%s may keep it: %q", who, cache)
			}
		}
		bobs := token(bob)
		ada.Block("bob")
		if status, _, _ := get(t, s, path+bobs); status != 404 {
			t.Errorf("bob after the block: %d", status)
		}
	})
	t.Run("leaves no file with its post", func(t *testing.T) {
		s := hookstest.New(t)
		post, _ := share(s.As("ada"), phone(), nil)
		s.RunJobs()
		s.As("ada").Delete("posts", post)
		left := 1
		for until := time.NewTicker(20 * time.Millisecond); left > 0; <-until.C { // PocketBase deletes them after its answer
			left = 0
			everyFile(t, s, func(string, []byte) { left++ })
			if t.Context().Err() != nil {
				t.Fatalf("%d files are left", left)
			}
		}
	})
	t.Run("that a crash left without its post is collected, once it is settled", func(t *testing.T) {
		s := hookstest.New(t)
		post, file := share(s.As("ada"), phone(), nil)
		s.RunJobs()
		folder := s.App.DataDir() + "/storage/" + s.Record("posts", post).BaseFilesPath()
		orphan, young := folder[:len(folder)-15]+"orphan000000000", folder[:len(folder)-15]+"young0000000000"
		for _, dir := range []string{orphan, young} {
			if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(folder+"/stray.jpg", hookstest.Photo(), 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-2 * time.Hour)
		for _, dir := range []string{orphan, folder} {
			if err := os.Chtimes(dir, then, then); err != nil {
				t.Fatal(err)
			}
		}
		for _, j := range s.App.Cron().Jobs() {
			if j.Id() == "photo.collect" {
				j.Run()
			}
		}
		s.RunJobs()
		for path, want := range map[string]bool{orphan: false, young: true, folder + "/stray.jpg": false, folder + "/" + file: true, folder + "/thumbs_" + file: true} {
			if _, err := os.Stat(path); (err == nil) != want {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
	t.Run("as an avatar takes the same way", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		avatar := ada.Must(200, "PATCH", "/api/collections/users/records/"+ada.ID, &hookstest.Upload{Files: map[string][]byte{"avatar": phone()}}).Body["avatar"].(string)
		s.RunJobs()
		status, _, body := get(t, s, "/api/files/users/"+ada.ID+"/"+avatar+"?thumb=100x100")
		if picture, _, err := image.DecodeConfig(bytes.NewReader(body)); status != 200 || err != nil || picture.Width != 100 || picture.Height != 100 {
			t.Errorf("%d %v", status, err)
		}
		everyFile(t, s, func(path string, content []byte) {
			if bytes.Contains(content, []byte("GPS")) {
				t.Errorf("%s holds a position", path)
			}
		})
		s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
		if status, _, _ := get(t, s, "/api/files/users/"+ada.ID+"/"+avatar+"?thumb=100x100"); status != 404 {
			t.Errorf("a suspended person's avatar: %d", status)
		}
	})
	t.Run("of an iPhone is stored as the JPEG it becomes", func(t *testing.T) {
		s := hookstest.New(t)
		post, file := share(s.As("ada"), phototest.Fixture("phone.heic"), nil)
		if !strings.HasSuffix(file, ".jpg") {
			t.Errorf("it is stored as %s", file)
		}
		for size := range sizes {
			status, header, body := get(t, s, "/api/files/posts/"+post+"/"+file+"?thumb="+size)
			if _, kind, err := image.DecodeConfig(bytes.NewReader(body)); status != 200 || err != nil || kind != "jpeg" {
				t.Errorf("%s: %d %s %v", size, status, header.Get("Content-Type"), err)
			}
		}
		everyFile(t, s, func(path string, content []byte) {
			if bytes.Contains(content, []byte("ftypheic")) || bytes.Contains(content, []byte("Exif")) {
				t.Errorf("%s holds what the phone sent", path)
			}
		})
	})
	t.Run("that is none, or could hurt, is a refusal of the field", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		bad := phototest.Bombs()
		whole := phone()
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
		everyFile(t, s, func(path string, _ []byte) { t.Errorf("%s is stored", path) })
	})
	t.Run("that is public no more is purged, if somebody does that", func(t *testing.T) {
		var purged []string
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error {
				purged = append(purged, e.URLs...)
				return e.Next()
			})
		})
		ada := s.As("ada")
		post, file := share(ada, phone(), nil)
		path := "/api/files/posts/" + post + "/" + file + "?thumb=640x640f"
		if _, header, _ := get(t, s, path); strings.Contains(header.Get("Cache-Control"), "s-maxage") {
			t.Errorf("shared caches are told %s", header.Get("Cache-Control"))
		}
		ada.Update("posts", post, map[string]any{"visibility": "private"})
		s.RunJobs()
		if !slices.Contains(purged, path) {
			t.Errorf("%s is not among the %d that are purged", path, len(purged))
		}
		purged = nil
		another, _ := share(ada, phone(), nil)
		ada.Update("users", ada.ID, map[string]any{"private": true})
		s.RunJobs()
		if !slices.ContainsFunc(purged, func(url string) bool { return strings.Contains(url, another) }) {
			t.Error("a private account's photos are not purged")
		}
	})
}

// everyFile shows all files that the service stores.
func everyFile(t *testing.T, s *hookstest.Service, look func(path string, content []byte)) {
	t.Helper()
	root := os.DirFS(s.App.DataDir() + "/storage")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) || err == nil && d.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := fs.ReadFile(root, path)
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		look(path, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
