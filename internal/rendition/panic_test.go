package rendition

import (
	"bytes"
	"context"
	"errors"
	"image"
	"log/slog"
	"strings"
	"testing"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/photo/phototest"
)

// panickingApp is an app whose storage panics, and which notes what is logged.
type panickingApp struct {
	core.App
	logged bytes.Buffer
}

func (a *panickingApp) Logger() *slog.Logger                                { return slog.New(slog.NewTextHandler(&a.logged, nil)) }
func (a *panickingApp) IsTransactional() bool                               { return false }
func (a *panickingApp) NewFilesystem() (*filesystem.System, error)          { panic("out of storage") }
func (a *panickingApp) Decode(context.Context, []byte) (image.Image, error) { panic("out of range") }

// TestAPanicLeavesItsStackInTheLog has a photo lead to a panic at the door and while its renditions are made.
func TestAPanicLeavesItsStackInTheLog(t *testing.T) {
	app := &panickingApp{}
	s := NewStudio(app)
	s.renderer = photo.Renderer{HEIC: app}
	for name, step := range map[string]struct {
		place string // the function that panics
		take  func() error
	}{
		"at the door": {"panickingApp).Decode", func() error {
			file, err := filesystem.NewFileFromBytes(phototest.Fixture("phone.heic"), "phone.heic")
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.AdmitFiles(t.Context(), app, "ada", "photos", []*filesystem.File{file})
			if refused, ok := errors.AsType[validation.Errors](err); !ok || refused["photos"] == nil {
				t.Errorf("at the door: it is answered %v", err)
			}
			return err
		}},
		"while it is rendered": {"panickingApp).NewFilesystem", func() error {
			_, err := s.EnsureRendered(t.Context(), core.NewRecord(core.NewBaseCollection("posts")), "a.jpg")
			return err
		}},
	} {
		app.logged.Reset()
		if err := step.take(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if log := app.logged.String(); !strings.Contains(log, "panic") || !strings.Contains(log, step.place) {
			t.Errorf("%s: the log says %q, want a stack with %s", name, log, step.place)
		}
	}
}
