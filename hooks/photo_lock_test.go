package hooks_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestPhotoIsStoredBesideOtherWrites(t *testing.T) {
	newcomer := map[string]string{"handle": "newcomer", "email": "newcomer@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password}
	for name, test := range map[string]struct {
		field string
		store func(s *hookstest.Service, files map[string][]byte)
	}{
		"of a post": {"photos", func(s *hookstest.Service, files map[string][]byte) {
			s.As("ada").Create("posts", &hookstest.Upload{Files: files})
		}},
		"of a story": {"photo", func(s *hookstest.Service, files map[string][]byte) {
			s.As("ada").Create("stories", &hookstest.Upload{Files: files})
		}},
		"of a newcomer": {"avatar", func(s *hookstest.Service, files map[string][]byte) {
			s.Guest().Create("users", &hookstest.Upload{Fields: newcomer, Files: files})
		}},
		"of somebody who is here": {"avatar", func(s *hookstest.Service, files map[string][]byte) {
			ada := s.As("ada")
			ada.Update("users", ada.ID, &hookstest.Upload{Files: files})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var reader *writingUpload
			s := newPhotoService(t, func(app core.App, _ *hooks.Social) {
				watch := func(e *core.RecordRequestEvent) error {
					file := e.Record.GetUnsavedFiles(test.field)[0]
					reader = &writingUpload{file.Reader, app, nil}
					file.Reader = reader
					return e.Next()
				}
				app.OnRecordCreateRequest("posts", "stories", "users").BindFunc(watch)
				app.OnRecordUpdateRequest("users").BindFunc(watch)
			})
			test.store(s, map[string][]byte{test.field: phonePhoto()})
			if len(reader.errs) < 2 {
				t.Errorf("the photo is read %d times, want a look and the storing", len(reader.errs))
			}
			for i, err := range reader.errs {
				if err != nil {
					t.Errorf("somebody else writes while the photo is read for the %d. time: %v", i+1, err)
				}
			}
		})
	}
}

func TestPhotoOfARefusedSignUpIsNotKept(t *testing.T) {
	testenv.SkipSequential(t)
	s := newPhotoService(t)
	ada := s.As("ada")
	for handle, code := range map[string]string{"bob": "validation_not_unique", "admin": "validation_handle_reserved"} {
		upload := &hookstest.Upload{
			Fields: map[string]string{"handle": handle, "email": "newcomer@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password},
			Files:  map[string][]byte{"avatar": phonePhoto()},
		}
		for what, a := range map[string]hookstest.Answer{
			"a newcomer": s.Guest().Do("POST", "/api/collections/users/records", upload),
			"ada": ada.Do("PATCH", "/api/collections/users/records/"+ada.ID, &hookstest.Upload{
				Fields: map[string]string{"handle": handle}, Files: upload.Files,
			}),
		} {
			data, _ := a.Body["data"].(map[string]any)
			field, _ := data["handle"].(map[string]any)
			if a.Status != 400 || field["code"] != code {
				t.Errorf("%s who wants to be %s: %d %s", what, handle, a.Status, a.Raw)
			}
		}
	}
	eachStoredFile(t, s, func(path string, _ []byte) { t.Errorf("%s is stored", path) })
	if n := s.Rows("jobs", "kind = 'photo.render'"); n != 0 {
		t.Errorf("%d jobs wait", n)
	}
}

// writingUpload is an upload during whose reading somebody else writes.
type writingUpload struct {
	filesystem.FileReader
	app  core.App
	errs []error
}

func (w *writingUpload) Open() (io.ReadSeekCloser, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, err := w.app.NonconcurrentDB().NewQuery("UPDATE users SET bio = 'hello'").WithContext(ctx).Execute()
	w.errs = append(w.errs, err)
	return w.FileReader.Open()
}
