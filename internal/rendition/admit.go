package rendition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/photo/door"
)

// ErrBusy means that too many uploads wait for memory. Trying again later helps.
var ErrBusy = errors.New("too many photos arrive at once")

// How long an upload waits for its turn: less in a transaction, where all who write wait with it, and more for what is decoded at the door:
// a HEIC takes seconds.
const (
	uploadTimeout = 5 * time.Second
	batchTimeout  = time.Second
	decodeTimeout = 20 * time.Second
)

// AdmitUploads looks at the photos that record is about to store and takes everything out of them that is not the
// picture. What is no photo, could hurt or could not be shown is a refusal of the field. A HEIC is decoded and stored as the JPEG
// it becomes; so are, to see whether they can be, those that are no JPEGs in one scan; neither in a transaction, where that would hold
// the write lock. It returns ErrBusy when memory for the
// upload does not become free, else the function that gives it back, to be called when the record is stored.
func (s *Studio) AdmitUploads(ctx context.Context, app core.App, record *core.Record) (release func(), err error) {
	field := PhotoFields[record.Collection().Name]
	return s.AdmitFiles(ctx, app, PhotoOwner(record), field, record.GetUnsavedFiles(field))
}

// AdmitFiles is AdmitUploads for the new files of a field, which a person sends.
func (s *Studio) AdmitFiles(ctx context.Context, app core.App, person, field string, files []*filesystem.File) (release func(), err error) {
	release, err = s.acquireUploadMemory(ctx, app, person, files)
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		err = s.admitFile(ctx, app, person, file)
		if errors.Is(err, photo.ErrUnreadable) {
			s.logPanic(err, file.OriginalName)
			err = door.ErrBroken
		}
		if refusal, ok := errors.AsType[*door.Refusal](err); ok {
			release()
			return nil, refusalError(field, refusal, i, file)
		}
		if err != nil {
			release()
			return nil, fmt.Errorf("admit photo %s: %w", file.OriginalName, err)
		}
	}
	return release, nil
}

// refusalError returns the field's error, which says which of the new files is refused: a person who sent several has
// to know.
func refusalError(field string, why *door.Refusal, index int, file *filesystem.File) error {
	name := []rune(file.OriginalName)
	return validation.Errors{field: validation.NewError(why.Code, why.Text).SetParams(map[string]any{"file": string(name[:min(len(name), 300)]), "index": index})}
}

// acquireUploadMemory waits until the largest of the files may be in memory twice, as it came and stripped; the files
// are read one after the other.
func (s *Studio) acquireUploadMemory(ctx context.Context, app core.App, person string, files []*filesystem.File) (release func(), err error) {
	var cost int64
	for _, file := range files {
		if _, done := file.Reader.(*strippedReader); !done { // not when the same record is saved a second time
			cost = max(cost, 2*min(file.Size, int64(door.Standard.Bytes)))
		}
	}
	if cost == 0 { // as with most changes, which must not queue behind photos
		return func() {}, nil
	}
	timeout := uploadTimeout
	if app.IsTransactional() {
		timeout = batchTimeout
	}
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	release, err = s.uploadBudget.Acquire(waiting, person, cost)
	return release, busyIfTimedOut(ctx, err)
}

// busyIfTimedOut returns ErrBusy if our timeout ended the wait, and err if the client's ctx did.
func busyIfTimedOut(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		return ErrBusy
	}
	return err
}

func (s *Studio) admitFile(ctx context.Context, app core.App, person string, file *filesystem.File) error {
	if _, done := file.Reader.(*strippedReader); done {
		return nil
	}
	if file.Size > int64(door.Standard.Bytes) {
		return door.ErrBytes
	}
	source, err := readContent(file.Reader, file.Size)
	if err != nil {
		return err
	}
	info, err := door.Inspect(source, door.Standard)
	if err != nil {
		return err
	}
	if info.Kind == door.HEIC {
		if app.IsTransactional() {
			return door.ErrConvert
		}
		return s.convertToJPEG(ctx, person, file, source, info)
	}
	clean, err := door.StripMetadata(source, info)
	if err != nil {
		return err
	}
	if err := s.check(ctx, app, person, clean, info); err != nil {
		return err
	}
	file.Name = nameForKind(file.Name, info.Kind)
	file.Reader = &strippedReader{file.Reader, file.Size, info}
	file.Size = int64(len(clean))
	return nil
}

// check refuses a photo that is well from outside and could never be shown. Most are JPEGs of which a look at the beginning tells; others are
// decoded, which a transaction has no time for: what a batch brings is looked at before it begins, and what Go code stores in a transaction of
// its own is told as null in posts.media.
func (s *Studio) check(ctx context.Context, app core.App, person string, clean []byte, info door.Info) error {
	if !info.Scales {
		if app.IsTransactional() {
			return nil
		}
		waiting, cancel := context.WithTimeout(ctx, decodeTimeout)
		defer cancel()
		turn, err := s.checking.Acquire(waiting, person, 1)
		if err != nil {
			return busyIfTimedOut(ctx, err)
		}
		defer turn()
		release, err := s.renderBudget.Acquire(waiting, person, s.renderer.CostOfInfo(info))
		if err != nil {
			return busyIfTimedOut(ctx, err)
		}
		defer release()
	}
	return s.renderer.Check(ctx, clean, info)
}

// nameForKind returns the name with the extension of the kind in place of whatever the sender called it: a photo that is stored
// as x.html is opened as a page by whoever serves the folder, or saves the photo and clicks on it.
func nameForKind(name string, kind door.Kind) string {
	base, _, _ := strings.Cut(name, ".") // PocketBase leaves two extensions, as in x.html.jpg
	return base + kind.Extension()
}

// convertToJPEG replaces a HEIC by the JPEG that it becomes.
func (s *Studio) convertToJPEG(ctx context.Context, person string, file *filesystem.File, source []byte, info door.Info) error {
	waiting, cancel := context.WithTimeout(ctx, decodeTimeout)
	defer cancel()
	turn, err := s.convertSlot.Acquire(waiting, person, 1) // before memory is acquired, which renditions can use meanwhile
	if err != nil {
		return busyIfTimedOut(ctx, err)
	}
	defer turn()
	release, err := s.renderBudget.Acquire(waiting, person, s.renderer.CostOfInfo(info))
	if err != nil {
		return busyIfTimedOut(ctx, err)
	}
	defer release()
	jpeg, err := s.renderer.ConvertToJPEG(ctx, source)
	if err != nil {
		return err
	}
	file.Name = nameForKind(file.Name, door.JPEG)
	file.Reader = &filesystem.BytesReader{Bytes: jpeg}
	file.Size = int64(len(jpeg))
	return nil
}

// strippedReader reads an uploaded photo without its metadata. It strips at each Open, so that ten large photos of
// one post are not in memory at once.
type strippedReader struct {
	source       filesystem.FileReader
	originalSize int64 // before stripping
	info         door.Info
}

// Open implements filesystem.FileReader.
func (s *strippedReader) Open() (io.ReadSeekCloser, error) {
	source, err := readContent(s.source, s.originalSize)
	if err != nil {
		return nil, err
	}
	clean, err := door.StripMetadata(source, s.info)
	if err != nil {
		return nil, err
	}
	return nopCloser{bytes.NewReader(clean)}, nil
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// readContent returns the content of a file, at most one byte more than the limit. size is about how many bytes it
// has, so that the buffer need not grow.
func readContent(from filesystem.FileReader, size int64) ([]byte, error) {
	reader, err := from.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var b bytes.Buffer
	b.Grow(int(size) + bytes.MinRead)
	_, err = b.ReadFrom(io.LimitReader(reader, int64(door.Standard.Bytes)+1))
	return b.Bytes(), err
}
