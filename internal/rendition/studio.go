package rendition

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/background"
	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/photo/heic"
)

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

// Close ends what is being rendered and returns nil when it has ended, or an error when ctx ends first. Nothing is
// rendered afterwards: what is asked for then is context.Canceled.
func (s *Studio) Close(ctx context.Context) error {
	s.mu.Lock()
	s.end()
	s.mu.Unlock()
	return background.Wait(ctx, &s.rendering)
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
	s.rendering.Go(func() {
		defer s.finishWork(path, w)
		w.err = errors.New("rendering ended early")
		w.meta, w.err = s.renderSafely(record, file)
	})
	return w
}

func (s *Studio) finishWork(path string, w *renderWork) {
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
}

func (s *Studio) forgetFile(record *core.Record, file string) {
	path := record.BaseFilesPath() + "/" + file
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.readyMetas, path)
	s.failedPaths = slices.DeleteFunc(s.failedPaths, func(p string) bool { return p == path })
}

// renderSafely is renderFile until the end of the service, and returns a panic as an error.
func (s *Studio) renderSafely(record *core.Record, file string) (meta Meta, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &photo.PanicError{Value: p, Stack: string(debug.Stack())}
		}
		s.logPanic(err, file)
	}()
	return s.renderFile(s.life, record, file)
}

// logPanic logs err if it is a panic. For whoever sent or asks for the photo, it is like any other that cannot be
// decoded; it is a mistake in the program all the same.
func (s *Studio) logPanic(err error, file string) {
	if p, ok := errors.AsType[*photo.PanicError](err); ok {
		s.app.Logger().Error("a photo led to a panic", "file", file, "err", err, "stack", p.Stack)
	}
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
