// Package rendition keeps every photo in the sizes that screens show, beside the photo and under
// the keys that PocketBase's ?thumb= reads.
package rendition

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/filesystem/blob"
	"github.com/pocketbase/pocketbase/tools/routine"

	"doubletap/internal/photo"
	"doubletap/internal/photo/heic"
)

// Fields names the field of each collection that holds photos.
var Fields = map[string]string{"posts": "photos", "stories": "photo", "users": "avatar"}

// Person is whose photos a record holds, to whom they are counted.
func Person(record *core.Record) string {
	if record.Collection().Name == "users" {
		return record.Id
	}
	return record.GetString("author")
}

// Full is the size that is served for a photo without a size.
const Full = "1920x1920f"

// Meta is what a screen wants to know of a photo before it has it.
type Meta struct {
	Width  int    `json:"w"`
	Height int    `json:"h"`
	Hash   string `json:"hash"`
	Color  string `json:"color"`
}

// Job is the kind of the job that makes the renditions of a record's photos.
const Job = "photo.render"

// Payload says whose renditions a Job makes.
type Payload struct{ Collection, Record string }

// version is that of the sizes and how they are made. A photo rendered by another one is rendered anew
// when it is next asked for, or by the command photos.
const version = 1

// stored is the meta file of a photo.
type stored struct {
	Meta
	Version int `json:"version"`
}

// Studio makes renditions, as many at a time as its budget of memory and the processors allow.
type Studio struct {
	app        core.App
	renderer   photo.Renderer
	budget     *photo.Budget // of what is decoded
	uploads    *photo.Budget // of what is looked at, beside that
	places     *photo.Budget // of photos rather than bytes: how many are rendered at once
	converting *photo.Budget // of one: the upload that HEIC is decoded for
	checking   *photo.Budget // of photos: how many are decoded at the door, to see whether they can be

	life      context.Context // of what is rendered, whoever waits for it
	end       context.CancelFunc
	rendering sync.WaitGroup

	mu      sync.Mutex // guards all below, and that nothing begins once life has ended
	running map[string]*work
	ready   map[string]Meta // photos of which all renditions exist, some of them
	failed  []string        // the latest photos that cannot be decoded
}

// work is a photo being rendered; done is closed when meta and err stand.
type work struct {
	done chan struct{}
	meta Meta
	err  error
}

// Places is how many photos are rendered at once: one core is left for everything else.
var Places = int64(max(1, runtime.NumCPU()-1))

// How many photos are remembered as made, so that showing one again costs no look into the storage, and as
// impossible to decode, so that they are not tried again before the next start.
const (
	remembered = 20_000
	given      = 1000
)

// NewStudio returns a studio that stores with app and takes photo.DefaultBudget.
func NewStudio(app core.App) *Studio {
	s := &Studio{
		app:        app,
		renderer:   photo.Renderer{HEIC: heic.New(heic.DefaultMemory)},
		places:     photo.NewBudget(Places),
		converting: photo.NewBudget(1),
		checking:   photo.NewBudget(Places),
		running:    map[string]*work{},
		ready:      map[string]Meta{},
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.Bound(photo.DefaultBudget)
	return s
}

// Bound sets how many bytes photos take together while they are rendered; uploads that are looked at take half of
// that beside them. Call it before the first photo comes.
func (s *Studio) Bound(memory int64) {
	s.budget, s.uploads = photo.NewBudget(memory), photo.NewBudget(memory/2)
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

// Known reports whether size is one of those that exist of every photo.
func Known(size string) bool {
	return slices.ContainsFunc(photo.Sizes, func(s photo.Size) bool { return s.Name() == size })
}

// Key is where the rendition of a file in a size lies.
func Key(record *core.Record, file, size string) string {
	return folder(record, file) + size + "_" + file
}

func folder(record *core.Record, file string) string {
	return record.BaseFilesPath() + "/thumbs_" + file + "/"
}

// Ensure returns when all renditions of the file exist, or with ctx. The work itself goes on when ctx ends, as others
// want it too. photo.ErrUnreadable is for good: trying again is no use.
func (s *Studio) Ensure(ctx context.Context, record *core.Record, file string) (Meta, error) {
	w := s.begin(record, file)
	select {
	case <-w.done:
		return w.meta, w.err
	case <-ctx.Done():
		return Meta{}, ctx.Err()
	}
}

func (s *Studio) begin(record *core.Record, file string) *work {
	path := record.BaseFilesPath() + "/" + file
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.running[path]; w != nil {
		return w
	}
	w := &work{done: make(chan struct{})}
	meta, ready := s.ready[path]
	if ready || slices.Contains(s.failed, path) {
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
	s.running[path] = w
	s.rendering.Add(1)
	routine.FireAndForget(func() {
		defer s.rendering.Done()
		w.err = errors.New("rendering ended early") // unless it does not
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.running, path)
			switch {
			case w.err == nil:
				if len(s.ready) >= remembered {
					clear(s.ready)
				}
				s.ready[path] = w.meta
			case errors.Is(w.err, photo.ErrUnreadable):
				s.failed = append(s.failed, path)
				s.failed = s.failed[max(0, len(s.failed)-given):]
			}
			close(w.done)
		}()
		w.meta, w.err = s.make(s.life, record, file)
	})
	return w
}

func (s *Studio) forget(record *core.Record, file string) {
	path := record.BaseFilesPath() + "/" + file
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ready, path)
	s.failed = slices.DeleteFunc(s.failed, func(p string) bool { return p == path })
}

// make renders the file unless that was done before. It reads the photo when its turn has come, as many may wait.
func (s *Studio) make(ctx context.Context, record *core.Record, file string) (meta Meta, err error) {
	fsys, err := s.app.NewFilesystem()
	if err != nil {
		return Meta{}, fmt.Errorf("open the storage: %w", err)
	}
	defer fsys.Close()
	if meta, all := made(fsys, record, file); all {
		return meta, nil
	}
	release, err := s.places.Acquire(ctx, Person(record), 1)
	if err != nil {
		return Meta{}, err
	}
	defer release()
	source, err := read(fsys, record.BaseFilesPath()+"/"+file)
	if err != nil {
		return Meta{}, fmt.Errorf("read photo %s of %s: %w", file, record.Id, err)
	}
	result, err := s.render(ctx, Person(record), source)
	if err != nil {
		return Meta{}, fmt.Errorf("render photo %s of %s: %w", file, record.Id, err)
	}
	for _, r := range result.Renditions {
		if err := write(fsys, Key(record, file, r.Name()), "image/jpeg", r.JPEG); err != nil {
			return Meta{}, fmt.Errorf("store rendition %s of photo %s: %w", r.Name(), file, err)
		}
	}
	meta = Meta{result.Width, result.Height, result.Hash, result.Color}
	text, err := json.Marshal(stored{meta, version})
	if err != nil {
		return Meta{}, err
	}
	return meta, write(fsys, folder(record, file)+metaName, "application/json", text)
}

const metaName = "meta.json"

// made returns what is known of the file, and whether all of its renditions lie in the storage, in today's version.
func made(fsys *filesystem.System, record *core.Record, file string) (Meta, bool) {
	objects, err := fsys.List(folder(record, file))
	if err != nil {
		return Meta{}, false
	}
	lies := func(key string) bool {
		return slices.ContainsFunc(objects, func(o *blob.ListObject) bool { return o.Key == key })
	}
	for _, size := range photo.Sizes {
		if !lies(Key(record, file, size.Name())) {
			return Meta{}, false
		}
	}
	var known stored
	text, err := read(fsys, folder(record, file)+metaName)
	if err != nil || json.Unmarshal(text, &known) != nil {
		return Meta{}, false
	}
	return known.Meta, known.Version == version
}

// Missing returns the files of record that lack a rendition, or have them in another version. Those that are known to be
// impossible to decode lack none.
func Missing(fsys *filesystem.System, record *core.Record) (missing []string) {
	var media []*Meta
	_ = record.UnmarshalJSONField("media", &media) // only a post has it
	for i, file := range record.GetStringSlice(Fields[record.Collection().Name]) {
		if i < len(media) && media[i] == nil {
			continue
		}
		if _, all := made(fsys, record, file); !all {
			missing = append(missing, file)
		}
	}
	return missing
}

func (s *Studio) render(ctx context.Context, person string, source []byte) (photo.Result, error) {
	cost, err := s.renderer.CostOf(source)
	if err != nil {
		return photo.Result{}, errors.Join(photo.ErrUnreadable, err)
	}
	release, err := s.budget.Acquire(ctx, person, cost)
	if err != nil {
		return photo.Result{}, err
	}
	defer release()
	return s.renderer.Render(ctx, source)
}

func read(fsys *filesystem.System, key string) ([]byte, error) {
	reader, err := fsys.GetReader(key)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

func write(fsys *filesystem.System, key, kind string, content []byte) error {
	w, err := fsys.NewWriter(key, &blob.WriterOptions{ContentType: kind})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, bytes.NewReader(content))
	return errors.Join(err, w.Close())
}
