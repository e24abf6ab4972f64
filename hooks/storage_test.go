package hooks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// blockStorage makes the storage refuse files, as a folder that is gone or read-only does, until free is called.
func blockStorage(t *testing.T, s *hookstest.Service) (free func()) {
	t.Helper()
	path := filepath.Join(s.App.DataDir(), core.LocalStorageDirName)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStorageThatTakesNoFilesIsNoMistakeOfTheClient(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("hello")
	photo := func(field string) *hookstest.Upload {
		return &hookstest.Upload{Files: map[string][]byte{field: hookstest.Photo()}}
	}
	uploads := map[string]func() hookstest.Answer{
		"a post":  func() hookstest.Answer { return ada.Do("POST", "/api/collections/posts/records", photo("photos")) },
		"a story": func() hookstest.Answer { return ada.Do("POST", "/api/collections/stories/records", photo("photo")) },
		"an avatar": func() hookstest.Answer {
			return ada.Do("PATCH", "/api/collections/users/records/"+ada.ID, photo("avatar"))
		},
	}
	s.Guest().Must(200, "GET", "/readyz", nil)

	broken := map[string]func() (free func()){"the folder": func() func() { return blockStorage(t, s) }, "S3": func() func() {
		settings := s.App.Settings()
		settings.S3.Enabled, settings.S3.Endpoint, settings.S3.Bucket, settings.S3.Region = true, "http://127.0.0.1:1", "b", "r" // nobody listens there
		settings.S3.AccessKey, settings.S3.Secret, settings.S3.ForcePathStyle = "a", "s", true
		return func() { settings.S3.Enabled = false }
	}}
	for what, breaks := range broken {
		free := breaks()
		before := s.Rows("posts", "1") + s.Rows("stories", "1")
		for name, upload := range uploads {
			if a := upload(); a.Status != 503 || a.Header.Get("Retry-After") == "" {
				t.Errorf("%s, %s: %d %s, Retry-After %q", what, name, a.Status, a.Raw, a.Header.Get("Retry-After"))
			}
		}
		s.Advance(time.Minute)
		if a := s.Guest().Do("GET", "/readyz", nil); a.Status != 503 {
			t.Errorf("%s: ready: %s", what, a.Raw)
		}
		if after := s.Rows("posts", "1") + s.Rows("stories", "1"); after != before {
			t.Errorf("%s: %d rows, %d before", what, after, before)
		}
		s.As("bob").Like(post)
		free()
		s.Advance(time.Minute)
		s.Guest().Must(200, "GET", "/readyz", nil)
		for name, upload := range uploads {
			if a := upload(); a.Status != 200 {
				t.Errorf("%s is back, %s: %d %s", what, name, a.Status, a.Raw)
			}
		}
	}
}

// TestFilesOfAProcessThatDiedAreCollectedAtStart leaves files as kill -9 during an upload does: younger than an hour,
// without a row. Files of the same age that this process stores wait for their rows.
func TestFilesOfAProcessThatDiedAreCollectedAtStart(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	kept := ada.Post("hello")
	storageOf := func(name string) string {
		collection, err := s.App.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(s.App.DataDir(), core.LocalStorageDirName, collection.Id)
	}
	storage := storageOf("posts")
	orphanOf := func(collection, id string, at time.Time) string {
		dir := filepath.Join(storageOf(collection), id)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "photo.jpg")
		if err := os.WriteFile(file, hookstest.Photo(), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{file, dir} {
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	orphan := func(id string, at time.Time) string { return orphanOf("posts", id, at) }
	died := orphan("died00000000000", time.Now().Add(-5*time.Minute))
	old := orphan("old000000000000", time.Now().Add(-30*24*time.Hour)) // and nobody ran since
	coming := orphan("coming000000000", time.Now())
	long := time.Now().Add(-30 * 24 * time.Hour)
	if err := os.Chtimes(filepath.Join(storage, kept), long, long); err != nil {
		t.Fatal(err)
	}
	for i := range 101 { // more stories' photos than crashes leave: their records were lost some other way
		orphanOf("stories", fmt.Sprintf("lost%011d", i), time.Now().Add(-30*24*time.Hour))
	}
	s.RunJobs() // the collection that the start has asked for
	if left, err := os.ReadDir(storageOf("stories")); err != nil || len(left) != 101 {
		t.Errorf("%d of 101 old folders are left, %v", len(left), err)
	}
	if _, err := os.Stat(died); err == nil {
		t.Error("files of a process that is gone stay")
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("files of a process that is long gone stay")
	}
	if _, err := os.Stat(coming); err != nil {
		t.Error("files that may still get their row are gone:", err)
	}
	if _, err := os.Stat(filepath.Join(storage, kept)); err != nil {
		t.Error("a post's photo is gone:", err)
	}
}
