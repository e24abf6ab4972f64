package hooks_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"doubletap/hooks"
)

func TestPhotoIsStoredBesideOtherWrites(t *testing.T) {
	var reader *writing
	s := service(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordCreateRequest("posts").BindFunc(func(e *core.RecordRequestEvent) error {
			file := e.Record.GetUnsavedFiles("photos")[0]
			reader = &writing{file.Reader, app, nil}
			file.Reader = reader
			return e.Next()
		})
	})
	share(s.As("ada"), phone(), nil)
	if len(reader.errs) < 2 {
		t.Errorf("the photo is read %d times, want a look and the storing", len(reader.errs))
	}
	for i, err := range reader.errs {
		if err != nil {
			t.Errorf("somebody else writes while the photo is read for the %d. time: %v", i+1, err)
		}
	}
}

// writing is an upload during the reading of which somebody else writes.
type writing struct {
	filesystem.FileReader
	app  core.App
	errs []error
}

func (w *writing) Open() (io.ReadSeekCloser, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, err := w.app.NonconcurrentDB().NewQuery("UPDATE users SET bio = 'hello'").WithContext(ctx).Execute()
	w.errs = append(w.errs, err)
	return w.FileReader.Open()
}
