package hooks_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// photoSizes are the sizes in which every photo exists, with the longer side.
var photoSizes = map[string]int{"1920x1920f": 1600, "1080x1080f": 1080, "640x640f": 640, "320x320f": 320, "320x320": 320, "100x100": 100}

// phonePhoto is a photo as a phone stores it: lying on its side, with a position and more.
func phonePhoto() []byte { return bytes.Clone(makePhonePhoto()) }

var makePhonePhoto = sync.OnceValue(func() []byte {
	return phototest.PhoneJPEG(phototest.EncodeJPEG(phototest.DrawScene(1600, 1200), 90), 6, "", false)
})

func sharePhoto(c *hookstest.Client, photo []byte, fields map[string]string) (id, file string) {
	a := c.Create("posts", &hookstest.Upload{Fields: fields, Files: map[string][]byte{"photos": photo}})
	return a.ID(), a.Body["photos"].([]any)[0].(string)
}

func fetchPath(t testing.TB, s *hookstest.Service, path string, header ...string) (int, http.Header, []byte) {
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
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Run("comes out upright, in every size, with nothing but the picture", func(t *testing.T) {
		s := newPhotoService(t)
		post, file := sharePhoto(s.As("ada"), phonePhoto(), nil)
		s.RunJobs()
		for size, side := range photoSizes {
			status, header, body := fetchPath(t, s, "/api/files/posts/"+post+"/"+file+"?thumb="+size)
			picture, kind, err := image.DecodeConfig(bytes.NewReader(body))
			if status != 200 || err != nil || kind != "jpeg" || max(picture.Width, picture.Height) != side || picture.Width > picture.Height {
				t.Errorf("%s: %d %s %dx%d %v", size, status, kind, picture.Width, picture.Height, err)
			}
			if header.Get("ETag") == "" || !strings.Contains(header.Get("Cache-Control"), "public, max-age=31536000, s-maxage=60, immutable") {
				t.Errorf("%s may be kept so: %q %q", size, header.Get("ETag"), header.Get("Cache-Control"))
			}
			if status, _, _ := fetchPath(t, s, "/api/files/posts/"+post+"/"+file+"?thumb="+size, "If-None-Match", header.Get("ETag")); status != 304 {
				t.Errorf("%s again: %d, want 304", size, status)
			}
		}
		media := s.As("ada").Must(200, "GET", "/api/collections/posts/records/"+post, nil).Body["media"].([]any)[0].(map[string]any)
		if media["w"] != 1200.0 || media["h"] != 1600.0 || media["hash"] == "" || !strings.HasPrefix(media["color"].(string), "#") {
			t.Errorf("media is %v", media)
		}
	})
	t.Run("is there for who asks before the worker is done", func(t *testing.T) {
		s := newPhotoService(t)
		post, file := sharePhoto(s.As("ada"), phonePhoto(), nil)
		status, _, body := fetchPath(t, s, "/api/files/posts/"+post+"/"+file+"?thumb=640x640f") // no job has run
		if picture, _, err := image.DecodeConfig(bytes.NewReader(body)); status != 200 || err != nil || picture.Height != 640 {
			t.Errorf("%d %v", status, err)
		}
		if n := len(storedKeys(t, s)); n != 1+len(photoSizes)+1 {
			t.Errorf("%d files are stored, want the photo, all of its sizes and what is known of them; PocketBase would have made one", n)
		}
		s.RunJobs()
		if s.Record("posts", post).GetString("media") == "" {
			t.Error("media is not stored")
		}
	})
	t.Run("is its author's in the original, everybody else's in 1920", func(t *testing.T) {
		s := newPhotoService(t)
		ada := s.As("ada")
		post, file := sharePhoto(ada, phonePhoto(), nil)
		path := "/api/files/posts/" + post + "/" + file
		_, _, full := fetchPath(t, s, path)
		_, _, large := fetchPath(t, s, path+"?thumb=1920x1920f")
		if !bytes.Equal(full, large) {
			t.Error("a photo without a size is not the 1920")
		}
		token := ada.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		_, header, original := fetchPath(t, s, path+"?token="+token)
		if picture, _, err := image.DecodeConfig(bytes.NewReader(original)); err != nil || picture.Width != 1600 || !strings.HasPrefix(header.Get("Cache-Control"), "private") {
			t.Errorf("the author gets %dx%d %v %s", picture.Width, picture.Height, err, header.Get("Cache-Control"))
		}
		other := s.As("bob").Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		if _, _, got := fetchPath(t, s, path+"?token="+other); !bytes.Equal(got, large) {
			t.Error("somebody else's token gives the original")
		}
	})
	t.Run("as an avatar takes the same way", func(t *testing.T) {
		s := newPhotoService(t)
		ada := s.As("ada")
		avatar := ada.Must(200, "PATCH", "/api/collections/users/records/"+ada.ID, &hookstest.Upload{Files: map[string][]byte{"avatar": phonePhoto()}}).Body["avatar"].(string)
		s.RunJobs()
		for _, side := range []int{100, 320} {
			status, _, body := fetchPath(t, s, fmt.Sprintf("/api/files/users/%s/%s?thumb=%dx%[3]d", ada.ID, avatar, side))
			if picture, _, err := image.DecodeConfig(bytes.NewReader(body)); status != 200 || err != nil || picture.Width != side || picture.Height != side {
				t.Errorf("%d: %d %v", side, status, err)
			}
		}
		eachStoredFile(t, s, expectNoSecrets(t))
		s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
		if status, _, _ := fetchPath(t, s, "/api/files/users/"+ada.ID+"/"+avatar+"?thumb=100x100"); status != 404 {
			t.Errorf("a suspended person's avatar: %d", status)
		}
	})
	t.Run("leaves no file with its post", func(t *testing.T) {
		s := newPhotoService(t)
		post, _ := sharePhoto(s.As("ada"), phonePhoto(), nil)
		s.RunJobs()
		s.As("ada").Delete("posts", post)
		for tick := time.NewTicker(20 * time.Millisecond); len(storedKeys(t, s)) > 0; <-tick.C { // PocketBase deletes them after its answer
			if t.Context().Err() != nil {
				t.Fatalf("%v are left", storedKeys(t, s))
			}
		}
	})
	t.Run("that a crash left without its post is collected, once it is settled", func(t *testing.T) {
		s := newPhotoService(t)
		post, file := sharePhoto(s.As("ada"), phonePhoto(), nil)
		s.RunJobs()
		folder := s.Record("posts", post).BaseFilesPath()
		fsys, err := s.App.NewFilesystem()
		if err != nil {
			t.Fatal(err)
		}
		defer fsys.Close()
		own := storedKeys(t, s)
		for _, key := range own {
			if err := fsys.Copy(key, strings.Replace(key, post, "orphan000000000", 1)); err != nil {
				t.Fatal(err)
			}
		}
		if err := fsys.Copy(folder+"/"+file, folder+"/stray.jpg"); err != nil {
			t.Fatal(err)
		}
		collect := func() {
			for _, j := range s.App.Cron().Jobs() {
				if j.Id() == "photo.collect" {
					j.Run()
				}
			}
			s.RunJobs()
		}
		collect()
		if n := len(storedKeys(t, s)); n != 2*len(own)+1 {
			t.Errorf("%d files are there, want all %d, as their row may come", n, 2*len(own)+1)
		}
		s.Advance(2 * time.Hour)
		collect()
		if got := storedKeys(t, s); !slices.Equal(got, own) {
			t.Errorf("%v are left, want %v", got, own)
		}
	})
}

func TestAPhotoOfAnyKindLeavesEverythingButThePictureBehind(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	scene := phototest.DrawScene(800, 600)
	s := newPhotoService(t)
	for name, photo := range map[string][]byte{
		"JPEG":            phonePhoto(),
		"JPEG, XMP first": phototest.PhoneJPEG(phototest.EncodeJPEG(scene, 90), 6, phototest.DisplayP3(), true),
		"PNG":             phototest.TaggedPNG(scene, 6, phototest.DisplayP3()),
		"APNG":            slices.Insert(phototest.TaggedPNG(scene, 6, phototest.DisplayP3()), 8+12+13, []byte(phototest.PNGChunk("acTL", "\x00\x00\x00\x01\x00\x00\x00\x00"))...),
		"GIF":             phototest.TaggedGIF(scene, 2),
		"WebP":            phototest.TaggedWebP("lossy.webp", 6, phototest.DisplayP3()),
		"HEIC":            phototest.Fixture("phone.heic"),
		"HEIC of tiles":   phototest.Fixture("tiles.heic"),
		"HEIC of mif1":    bytes.Replace(phototest.Fixture("tiles.heic"), []byte("ftypheic"), []byte("ftypmif1"), 1),
	} {
		if !slices.ContainsFunc(phototest.Secrets, func(secret string) bool { return bytes.Contains(photo, []byte(secret)) }) {
			t.Fatalf("%s has nothing to hide", name)
		}
		post, file := sharePhoto(s.As("ada"), photo, nil)
		if strings.HasPrefix(name, "HEIC") && !strings.HasSuffix(file, ".jpg") {
			t.Errorf("%s is stored as %s", name, file)
		}
		for size := range photoSizes {
			status, header, body := fetchPath(t, s, "/api/files/posts/"+post+"/"+file+"?thumb="+size)
			if _, kind, err := image.DecodeConfig(bytes.NewReader(body)); status != 200 || err != nil || kind != "jpeg" || header.Get("Content-Type") != "image/jpeg" {
				t.Errorf("%s as %s: %d %s %v", name, size, status, header.Get("Content-Type"), err)
			}
			expectNoSecrets(t)(name+" as "+size, body)
		}
	}
	eachStoredFile(t, s, expectNoSecrets(t))
}

// newPhotoService starts a service that stores in the S3 server of DOUBLETAP_TEST_S3, if there is one; tests/s3
// starts it.
func newPhotoService(t *testing.T, owners ...func(core.App, *hooks.Social)) *hookstest.Service {
	t.Helper()
	s := hookstest.New(t, owners...)
	if endpoint := os.Getenv("DOUBLETAP_TEST_S3"); endpoint != "" {
		settings := s.App.Settings()
		settings.S3 = core.S3Config{
			Enabled: true, Endpoint: endpoint, Bucket: "photos-" + core.GenerateDefaultRandomId(),
			Region: "us-east-1", AccessKey: "key", Secret: "secret", ForcePathStyle: true,
		}
		if err := s.App.Save(settings); err != nil {
			t.Fatal("store in S3:", err)
		}
	}
	return s
}

// expectNoSecrets fails if a file says something of the phone, the place or the person.
func expectNoSecrets(t *testing.T) func(name string, content []byte) {
	return func(name string, content []byte) {
		t.Helper()
		for _, secret := range append(phototest.Secrets, "ftyp") {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
		const upright = 36 // bytes of an EXIF with only an orientation
		if i := bytes.Index(content, []byte("Exif\x00\x00")); i >= 4 && int(content[i-2])<<8+int(content[i-1]) > upright {
			t.Errorf("%s holds more EXIF than its orientation", name)
		}
	}
}

// storedKeys returns the names of all files that the service stores, sorted.
func storedKeys(t *testing.T, s *hookstest.Service) []string {
	t.Helper()
	all := []string{}
	eachStoredFile(t, s, func(key string, _ []byte) { all = append(all, key) })
	slices.Sort(all)
	return all
}

// eachStoredFile calls back with each file that the service stores, except one that goes meanwhile.
func eachStoredFile(t *testing.T, s *hookstest.Service, look func(key string, content []byte)) {
	t.Helper()
	fsys, err := s.App.NewFilesystem()
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	objects, err := fsys.List("")
	for errors.Is(err, filesystem.ErrNotFound) { // one went while the folders were read
		objects, err = fsys.List("")
	}
	if err != nil {
		t.Fatal("list the storage:", err)
	}
	for _, o := range objects {
		reader, err := fsys.GetReader(o.Key)
		if errors.Is(err, filesystem.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatalf("read %s: %v", o.Key, err)
		}
		content, err := io.ReadAll(reader)
		reader.Close()
		if err != nil {
			t.Fatalf("read %s: %v", o.Key, err)
		}
		look(o.Key, content)
	}
}
