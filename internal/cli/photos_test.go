package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// renditionFiles returns the renditions in the storage, as contents by path.
func renditionFiles(t *testing.T, s *hookstest.Service) map[string]string {
	t.Helper()
	files, err := filepath.Glob(s.App.DataDir() + "/storage/*/*/thumbs_*/*.jpg")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[file] = string(content)
	}
	return all
}

// galleryService returns a service with two posts, a story and an avatar, all with their renditions, and a post's id.
func galleryService(t *testing.T) (s *hookstest.Service, post string) {
	s = hookstest.New(t)
	ada := s.As("ada")
	post = ada.Create("posts", &hookstest.Upload{Files: map[string][]byte{"photos": phototest.EncodeJPEG(phototest.DrawScene(300, 200), 90)}}).ID()
	ada.Post("another")
	ada.Story()
	ada.Must(200, "PATCH", "/api/collections/users/records/"+ada.ID, &hookstest.Upload{Files: map[string][]byte{"avatar": hookstest.Photo()}})
	s.RunJobs()
	return s, post
}

func expectSound(t *testing.T, s *hookstest.Service) {
	t.Helper()
	expectHealthy(t, s.App)
	if f := cli.ExaminePhotos(s.App); f.State != cli.StateOK {
		t.Errorf("found %+v", f)
	}
}

func TestDoctorFindsWhatPhotosLack(t *testing.T) {
	testenv.SkipSequential(t)
	for name, test := range map[string]struct {
		damage func(s *hookstest.Service, post string) error
		state  string
		detail string
	}{
		"what is known of a photo": {func(s *hookstest.Service, post string) error {
			_, err := s.App.NonconcurrentDB().NewQuery(`UPDATE posts SET media = '' WHERE id = '` + post + `'`).Execute()
			return err
		}, cli.StateFail, "described: 1 rows, as "},
		"its blurhash": {func(s *hookstest.Service, post string) error {
			_, err := s.App.NonconcurrentDB().NewQuery(`UPDATE posts SET media = json_remove(media, '$[0].hash') WHERE id = '` + post + `'`).Execute()
			return err
		}, cli.StateFail, "described: 1 rows, as "},
		"all its renditions": {func(s *hookstest.Service, post string) error {
			folders, _ := filepath.Glob(s.App.DataDir() + "/storage/*/" + post + "/thumbs_*")
			return os.RemoveAll(folders[0])
		}, cli.StateWarn, "1 posts, stories and avatars without all renditions, as posts "},
		"one rendition, of those that the server remembers": {func(s *hookstest.Service, post string) error {
			files, _ := filepath.Glob(s.App.DataDir() + "/storage/*/" + post + "/thumbs_*/640x640f_*.jpg")
			return os.Remove(files[0])
		}, cli.StateWarn, "1 posts, stories and avatars without all renditions, as posts "},
		"the renditions of an avatar": {func(s *hookstest.Service, _ string) error {
			folders, _ := filepath.Glob(s.App.DataDir() + "/storage/*/" + s.User("ada").Id + "/thumbs_*")
			return os.RemoveAll(folders[0])
		}, cli.StateWarn, "1 posts, stories and avatars without all renditions, as users "},
		"the renditions of a story": {func(s *hookstest.Service, _ string) error {
			folders, _ := filepath.Glob(s.App.DataDir() + "/storage/*/" + s.As("ada").List("stories", "")[0]["id"].(string) + "/thumbs_*")
			return os.RemoveAll(folders[0])
		}, cli.StateWarn, "1 posts, stories and avatars without all renditions, as stories "},
	} {
		t.Run(name, func(t *testing.T) {
			s, post := galleryService(t)
			expectSound(t, s)
			before, media := renditionFiles(t, s), s.Record("posts", post).GetString("media")
			if err := test.damage(s, post); err != nil {
				t.Fatal(err)
			}
			if f := cli.ExaminePhotos(s.App); f.State != test.state || f.Count != 1 || !strings.HasPrefix(f.Detail, test.detail) {
				t.Errorf("found %+v", f)
			}
			if n, err := cli.RepairPhotos(s.App); err != nil || n != 1 {
				t.Errorf("repaired %d, %v", n, err)
			}
			s.RunJobs()
			expectSound(t, s)
			after := renditionFiles(t, s)
			for file, content := range before {
				if after[file] != content {
					t.Errorf("%s is not as it was", file)
				}
			}
			if got := s.Record("posts", post).GetString("media"); got != media {
				t.Errorf("media is %s, was %s", got, media)
			}
		})
	}
	t.Run("nothing that a job is still to do", func(t *testing.T) {
		s := hookstest.New(t)
		s.As("ada").Post("new")
		expectSound(t, s)
	})
	t.Run("a photo that cannot be decoded, once", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.Record("posts", s.As("ada").Post("broken"))
		path := filepath.Join(s.App.DataDir(), "storage", post.BaseFilesPath(), post.GetStringSlice("photos")[0])
		if err := os.WriteFile(path, phototest.DamagedPNG(), 0o600); err != nil {
			t.Fatal(err)
		}
		s.RunJobs()
		f := cli.ExaminePhotos(s.App)
		if f.State != cli.StateWarn || f.Count != 1 || !strings.HasPrefix(f.Detail, "decoded: ") {
			t.Errorf("found %+v", f)
		}
		if n, err := cli.RepairPhotos(s.App); err != nil || n != 0 {
			t.Errorf("repaired %d, %v", n, err)
		}
	})
}

func TestRebuildGoesOnWhereItWas(t *testing.T) {
	testenv.SkipSequential(t)
	s, _ := galleryService(t)
	want := renditionFiles(t, s)
	folders, _ := filepath.Glob(s.App.DataDir() + "/storage/*/*/thumbs_*")
	for _, folder := range folders {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	n, err := cli.RebuildRenditions(ctx, s.App, func(done, total int) {
		if total != 4 {
			t.Errorf("%d in all, want 4", total)
		}
		cancel()
	})
	if n != 1 || err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 of 4 are done") {
		t.Errorf("interrupted after one: %d, %v", n, err)
	}
	first := renditionFiles(t, s)
	if len(first) == 0 || len(first) == len(want) {
		t.Errorf("%d of %d renditions are there", len(first), len(want))
	}
	at := map[string]os.FileInfo{}
	for file := range first {
		at[file], _ = os.Stat(file)
	}
	if n, err := cli.RebuildRenditions(t.Context(), s.App, func(int, int) {}); n != 4 || err != nil {
		t.Errorf("the rest: %d, %v", n, err)
	}
	got := renditionFiles(t, s)
	for file, content := range want {
		if got[file] != content {
			t.Errorf("%s is not as it was", file)
		}
	}
	for file, was := range at {
		if now, err := os.Stat(file); err != nil || !os.SameFile(now, was) || !now.ModTime().Equal(was.ModTime()) {
			t.Errorf("%s is made twice", file)
		}
	}
	if old, _ := filepath.Glob(s.App.DataDir() + "/storage/*/*/thumbs_*/meta.json"); len(old) != 4 {
		t.Fatalf("%d photos, want 4", len(old))
	} else if text, err := os.ReadFile(old[0]); err != nil {
		t.Fatal(err)
	} else if err := os.WriteFile(old[0], bytes.Replace(text, []byte(`"version":`), []byte(`"version":99`), 1), 0o600); err != nil {
		t.Fatal(err)
	} else if _, err := cli.RebuildRenditions(t.Context(), s.App, func(int, int) {}); err != nil {
		t.Fatal(err)
	} else if again, _ := os.ReadFile(old[0]); !bytes.Equal(again, text) {
		t.Errorf("a photo of another version is left as it was: %s", again)
	}
}
