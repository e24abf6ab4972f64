package rendition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"doubletap/internal/fault"
	"doubletap/internal/photo"
	"doubletap/internal/photo/door"
)

// Admit looks at the photos that record is about to store and takes everything out of them that is not the
// picture. What is no photo, or could hurt, is a refusal of the field. It decodes nothing, except a HEIC, which is stored as
// the JPEG it becomes; not in a transaction, where that would hold the write lock.
func (s *Studio) Admit(ctx context.Context, app core.App, record *core.Record) error {
	field := Fields[record.Collection().Name]
	for _, file := range record.GetUnsavedFiles(field) {
		err := s.admit(ctx, app, file)
		if refusal, ok := errors.AsType[*door.Refusal](err); ok {
			return fault.Invalid(field, refusal.Code, refusal.Text)
		}
		if err != nil {
			return fmt.Errorf("admit photo %s: %w", file.OriginalName, err)
		}
	}
	return nil
}

func (s *Studio) admit(ctx context.Context, app core.App, file *filesystem.File) error {
	if _, done := file.Reader.(*stripped); done {
		return nil // a second save of the same record
	}
	if file.Size > int64(door.Standard.Bytes) {
		return door.ErrBytes
	}
	source, err := content(file.Reader)
	if err != nil {
		return err
	}
	info, err := door.Open(source, door.Standard)
	if err != nil {
		return err
	}
	if info.Kind == door.HEIC {
		if app.IsTransactional() {
			return door.ErrConvert
		}
		return s.convert(ctx, file, source, info)
	}
	clean, err := door.Strip(source, info)
	if err != nil {
		return err
	}
	file.Reader = &stripped{from: file.Reader, info: info}
	file.Size = int64(len(clean))
	return nil
}

// convert puts the JPEG that a HEIC becomes into its place.
func (s *Studio) convert(ctx context.Context, file *filesystem.File, source []byte, info door.Info) error {
	release, err := s.budget.Acquire(ctx, s.renderer.Cost(info))
	if err != nil {
		return err
	}
	defer release()
	jpeg, err := s.renderer.Convert(ctx, source)
	if errors.Is(err, photo.ErrUnreadable) {
		return door.ErrBroken
	}
	if err != nil {
		return err
	}
	file.Name = strings.TrimSuffix(file.Name, filepath.Ext(file.Name)) + ".jpg"
	file.Reader = &filesystem.BytesReader{Bytes: jpeg}
	file.Size = int64(len(jpeg))
	return nil
}

// stripped is an uploaded photo that is read without what is not the picture. It strips when it is read, so
// that ten large photos of one post are not in memory at once.
type stripped struct {
	from filesystem.FileReader
	info door.Info
}

// Open implements filesystem.FileReader.
func (s *stripped) Open() (io.ReadSeekCloser, error) {
	source, err := content(s.from)
	if err != nil {
		return nil, err
	}
	clean, err := door.Strip(source, s.info)
	if err != nil {
		return nil, err
	}
	return closable{bytes.NewReader(clean)}, nil
}

type closable struct{ *bytes.Reader }

func (closable) Close() error { return nil }

func content(from filesystem.FileReader) ([]byte, error) {
	reader, err := from.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(io.LimitReader(reader, int64(door.Standard.Bytes)+1))
}
