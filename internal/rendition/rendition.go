// Package rendition stores every photo in the sizes that screens show, beside the photo and under the keys that
// PocketBase's ?thumb= reads.
package rendition

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/filesystem/blob"
	"github.com/pocketbase/pocketbase/tools/routine"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/photo/heic"
)

// PhotoFields names the field of each collection that holds photos, as the collections' descriptors say.
var PhotoFields = func() map[string]string {
	fields := map[string]string{}
	for _, name := range collection.PhotoNames() {
		fields[name] = collection.Describe(name).Photos
	}
	return fields
}()

// PhotoOwner returns the id of the person to whom the work on a record's photos is counted: the author, or the user
// of an avatar.
func PhotoOwner(record *core.Record) string {
	if record.Collection().Name == "users" {
		return record.Id
	}
	return record.GetString("author")
}

// Meta is what a screen needs to know of a photo before it has loaded it.
type Meta struct {
	Width  int    `json:"w"`
	Height int    `json:"h"`
	Hash   string `json:"hash"`
	Color  string `json:"color"`
}

// JobKind is the kind of the job that makes the renditions of a record's photos.
const JobKind = "photo.render"

// Payload is what a job of JobKind holds: whose renditions it makes.
type Payload struct{ Collection, Record string }

// renditionVersion is the version of the sizes and of how they are made. A photo rendered by another version is
// rendered again when it is next asked for, or by the command photos.
const renditionVersion = 1

// metaFile is the content of a photo's meta.json.
type metaFile struct {
	Meta
	Version int `json:"version"`
}

// Studio strips uploads and makes renditions, as many at a time as its budget of memory and the processors allow.
type Studio struct {
	app          core.App
	renderer     photo.Renderer
	renderBudget *photo.Budget // of what is decoded
	uploadBudget *photo.Budget // of what is looked at, beside that
	renderSlots  *photo.Budget // of photos rather than bytes: how many are rendered at once
	convertSlot  *photo.Budget // of one: the upload that HEIC is decoded for
	checking     *photo.Budget // of photos: how many are decoded at the door, to see whether they can be

	life      context.Context // of what is rendered, whoever waits for it
	end       context.CancelFunc
	rendering sync.WaitGroup

	mu          sync.Mutex // guards all below, and that nothing begins once life has ended
	runningWork map[string]*renderWork
	readyMetas  map[string]Meta // some of the photos of which all renditions exist
	failedPaths []string        // the latest photos that could not be decoded
}

// renderWork is a photo being rendered; done is closed when meta and err are set.
type renderWork struct {
	done chan struct{}
	meta Meta
	err  error
}

// MaxConcurrent is how many photos are rendered at once: one core is left for everything else.
var MaxConcurrent = int64(max(1, runtime.NumCPU()-1))

// How many photos are remembered as rendered, so that showing one again needs no request to the storage, and as
// impossible to decode, so that they are not tried again before the next start.
const (
	maxReady  = 20_000
	maxFailed = 1000
)

// NewStudio returns a studio that stores with app and takes photo.DefaultBudget.
func NewStudio(app core.App) *Studio {
	s := &Studio{
		app:         app,
		renderer:    photo.Renderer{HEIC: heic.New(heic.DefaultMemory)},
		renderSlots: photo.NewBudget(MaxConcurrent),
		convertSlot: photo.NewBudget(1),
		checking:    photo.NewBudget(MaxConcurrent),
		runningWork: map[string]*renderWork{},
		readyMetas:  map[string]Meta{},
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.SetMemory(photo.DefaultBudget)
	return s
}

// SetMemory sets how many bytes photos take together while they are rendered; uploads that are inspected take up to
// half of that in addition. Call it before the first photo arrives.
func (s *Studio) SetMemory(memory int64) {
	s.renderBudget, s.uploadBudget = photo.NewBudget(memory), photo.NewBudget(memory/2)
}

// Close ends what is being rendered and returns when it has ended, or with ctx. Nothing is rendered afterwards: what is asked for then
// is context.Canceled.
func (s *Studio) Close(ctx context.Context) {
	s.mu.Lock()
	s.end()
	s.mu.Unlock()
	over := make(chan struct{})
	go func() {
		s.rendering.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// IsKnownSize reports whether size is one of those that exist of every photo.
func IsKnownSize(size string) bool {
	return slices.Contains(photo.ThumbNames(), size)
}

// StorageKey returns the storage's key of the rendition of a file in a size.
func StorageKey(record *core.Record, file, size string) string {
	return renditionFolder(record, file) + size + "_" + file
}

func renditionFolder(record *core.Record, file string) string {
	return record.BaseFilesPath() + "/thumbs_" + file + "/"
}

// EnsureRendered returns when all renditions of the file exist, or when ctx ends. The work itself goes on after ctx
// has ended, as others may wait for it too. After photo.ErrUnreadable, trying again is no use.
func (s *Studio) EnsureRendered(ctx context.Context, record *core.Record, file string) (Meta, error) {
	w := s.startWork(record, file)
	select {
	case <-w.done:
		return w.meta, w.err
	case <-ctx.Done():
		return Meta{}, ctx.Err()
	}
}

func (s *Studio) startWork(record *core.Record, file string) *renderWork {
	path := record.BaseFilesPath() + "/" + file
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.runningWork[path]; w != nil {
		return w
	}
	w := &renderWork{done: make(chan struct{})}
	meta, ready := s.readyMetas[path]
	if ready || slices.Contains(s.failedPaths, path) {
		if w.meta = meta; !ready {
			w.err = photo.ErrUnreadable
		}
		close(w.done)
		return w
	}
	if err := s.life.Err(); err != nil {
		w.err = err
		close(w.done)
		return w
	}
	s.runningWork[path] = w
	s.rendering.Add(1)
	routine.FireAndForget(func() {
		defer s.rendering.Done()
		w.err = errors.New("rendering ended early") // unless it does not
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.runningWork, path)
			switch {
			case w.err == nil:
				if len(s.readyMetas) >= maxReady {
					clear(s.readyMetas)
				}
				s.readyMetas[path] = w.meta
			case errors.Is(w.err, photo.ErrUnreadable):
				s.failedPaths = append(s.failedPaths, path)
				s.failedPaths = s.failedPaths[max(0, len(s.failedPaths)-maxFailed):]
			}
			close(w.done)
		}()
		w.meta, w.err = s.renderFile(s.life, record, file)
	})
	return w
}

func (s *Studio) forgetFile(record *core.Record, file string) {
	path := record.BaseFilesPath() + "/" + file
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.readyMetas, path)
	s.failedPaths = slices.DeleteFunc(s.failedPaths, func(p string) bool { return p == path })
}

// renderFile renders the file unless all its renditions exist. It reads the photo only when its turn has come, as
// many may wait.
func (s *Studio) renderFile(ctx context.Context, record *core.Record, file string) (meta Meta, err error) {
	fsys, err := s.app.NewFilesystem()
	if err != nil {
		return Meta{}, fmt.Errorf("open the storage: %w", err)
	}
	defer fsys.Close()
	if meta, all := storedMeta(fsys, record, file); all {
		return meta, nil
	}
	release, err := s.renderSlots.Acquire(ctx, PhotoOwner(record), 1)
	if err != nil {
		return Meta{}, err
	}
	defer release()
	source, err := readObject(fsys, record.BaseFilesPath()+"/"+file)
	if err != nil {
		return Meta{}, fmt.Errorf("read photo %s of %s: %w", file, record.Id, err)
	}
	result, err := s.renderSource(ctx, PhotoOwner(record), source)
	if err != nil {
		return Meta{}, fmt.Errorf("render photo %s of %s: %w", file, record.Id, err)
	}
	for _, r := range result.Renditions {
		if err := writeObject(fsys, StorageKey(record, file, r.ThumbName()), "image/jpeg", r.JPEG); err != nil {
			return Meta{}, fmt.Errorf("store rendition %s of photo %s: %w", r.ThumbName(), file, err)
		}
	}
	meta = Meta{result.Width, result.Height, result.Hash, result.Color}
	text, err := json.Marshal(metaFile{meta, renditionVersion})
	if err != nil {
		return Meta{}, err
	}
	return meta, writeObject(fsys, renditionFolder(record, file)+metaFileName, "application/json", text)
}

const metaFileName = "meta.json"

// storedMeta returns the file's stored Meta, and whether all of its renditions are in the storage in the current
// version.
func storedMeta(fsys *filesystem.System, record *core.Record, file string) (Meta, bool) {
	objects, err := fsys.List(renditionFolder(record, file))
	if err != nil {
		return Meta{}, false
	}
	lies := func(key string) bool {
		return slices.ContainsFunc(objects, func(o *blob.ListObject) bool { return o.Key == key })
	}
	for _, size := range photo.Sizes {
		if !lies(StorageKey(record, file, size.ThumbName())) {
			return Meta{}, false
		}
	}
	var known metaFile
	text, err := readObject(fsys, renditionFolder(record, file)+metaFileName)
	if err != nil || json.Unmarshal(text, &known) != nil {
		return Meta{}, false
	}
	return known.Meta, known.Version == renditionVersion
}

// IsOther reports whether a file has a name that no photo has. An adopted app has such avatars from before, an SVG for
// one; they are served as they are.
func IsOther(file string) bool {
	return !slices.Contains([]string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".heif"}, strings.ToLower(path.Ext(file)))
}

// FilesToRender returns the files of record that lack a rendition, or have them in another version. Files of a post
// that are known to be impossible to decode are not among them.
func FilesToRender(fsys *filesystem.System, record *core.Record) (missing []string) {
	var media []*Meta
	_ = record.UnmarshalJSONField("media", &media) // only a post has it
	for i, file := range record.GetStringSlice(PhotoFields[record.Collection().Name]) {
		if i < len(media) && media[i] == nil || IsOther(file) {
			continue
		}
		if _, all := storedMeta(fsys, record, file); !all {
			missing = append(missing, file)
		}
	}
	return missing
}

func (s *Studio) renderSource(ctx context.Context, person string, source []byte) (photo.Result, error) {
	cost, err := s.renderer.CostOfSource(source)
	if err != nil {
		return photo.Result{}, errors.Join(photo.ErrUnreadable, err)
	}
	release, err := s.renderBudget.Acquire(ctx, person, cost)
	if err != nil {
		return photo.Result{}, err
	}
	defer release()
	return s.renderer.Render(ctx, source)
}

func readObject(fsys *filesystem.System, key string) ([]byte, error) {
	reader, err := fsys.GetReader(key)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

func writeObject(fsys *filesystem.System, key, kind string, content []byte) error {
	w, err := fsys.NewWriter(key, &blob.WriterOptions{ContentType: kind})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, bytes.NewReader(content))
	return errors.Join(err, w.Close())
}
