package hooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/security"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/folder"
	"doubletap/internal/watch"
)

const (
	sluggish = 2 * time.Second // of a write: the service is not ready
	spare    = 64 << 20        // bytes that the disk must have left
)

// health is whether this process can serve, and how it ends.
type health struct {
	app    core.App
	drain  *watch.Drain
	server *http.Server

	mu      sync.Mutex // guards the last look
	asked   time.Time
	err     error
	writing chan error // one that is under way

	stored   time.Time // when the storage was last tried
	storeErr error

	structure *structure
}

// bindHealth answers /livez and /readyz, and ends the process in order: no longer ready, requests and jobs done, realtime
// closed, then PocketBase's own handlers.
func (s *Social) bindHealth() {
	h := &health{app: s.app, drain: watch.NewDrain(), structure: &structure{app: s.app}}
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		h.server = e.Server
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: -99999, Func: func(e *core.RequestEvent) error {
			if e.Request.URL.Path == "/api/realtime" && e.Request.Method != http.MethodPost {
				return e.Next() // it lasts until it is closed
			}
			defer h.drain.Enter()()
			return e.Next()
		}})
		return e.Next()
	})
	s.routes = append(s.routes, route{
		method: "GET", path: "/livez", quiet: true, gives: state{},
		summary: "Whether the process lives.",
		do:      func(e *core.RequestEvent) error { return healthy(e, nil, nil, nil) },
	}, route{
		method: "GET", path: "/readyz", quiet: true, gives: state{}, refuses: []int{http.StatusServiceUnavailable},
		summary: "Whether it can serve: it can write rows and files, the disk has room, its collections are there, and it is not about to end. What differs from what ships is counted in data, which names damaged logs that were set aside.",
		do: func(e *core.RequestEvent) error {
			err := h.ready()
			return healthy(e, err, h.structure.counts(), folder.Damaged(h.app.DataDir()))
		},
	})
	s.bindTermination(h)
}

// state is how a supervisor is answered, in PocketBase's shape.
type state struct {
	Status  int            `json:"status"`
	Message string         `json:"message"`
	Data    map[string]any `json:"data"`
}

// healthy answers a supervisor. A bad state is an answer and no error, so that no log has a row for each time it is asked.
func healthy(e *core.RequestEvent, err error, differs map[string]int, aside []string) error {
	e.Response.Header().Set("Cache-Control", "no-store")
	data := map[string]any{}
	if len(differs) > 0 {
		data["structure"] = differs
	}
	if len(aside) > 0 {
		data["setAside"] = aside
	}
	if err != nil {
		return e.JSON(http.StatusServiceUnavailable, state{http.StatusServiceUnavailable, err.Error(), data})
	}
	return e.JSON(http.StatusOK, state{http.StatusOK, "ok", data})
}

// ready returns why the service cannot serve, or nil. It writes at most once a second, whoever asks.
func (h *health) ready() error {
	if h.drain.Began() {
		return errors.New("draining")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := clock.Now(h.app); now.Sub(h.asked) >= time.Second {
		h.err = errors.Join(h.room(), h.write(), h.whole(), h.store(), h.structure.look())
		h.asked = now
	}
	return h.err
}

// room looks whether the disk takes more.
func (h *health) room() error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(h.app.DataDir(), &disk); err != nil {
		return errors.New("the data folder cannot be looked at")
	}
	if disk.Bavail*uint64(disk.Bsize) < spare { //nolint:gosec // a block has a positive size
		return errors.New("the disk is full")
	}
	return nil
}

// whole says whether all that was read of the database made sense. It stays so until the process starts anew.
func (h *health) whole() error {
	if db.Damaged(h.app) {
		return errors.New("the database is damaged: run doctor")
	}
	return nil
}

// write stores and removes a row, in one transaction that leaves nothing.
func (h *health) write() error {
	if h.writing == nil {
		written := make(chan error, 1)
		h.writing = written
		go func() {
			written <- h.app.RunInTransaction(func(tx core.App) error {
				_, err := db.Exec(tx, `INSERT INTO secrets (id, name, value, created, updated) VALUES ('readyz000000000', 'readyz', '', '', '')`, nil)
				if err != nil {
					return err
				}
				_, err = db.Exec(tx, `DELETE FROM secrets WHERE id = 'readyz000000000'`, nil)
				return err
			})
		}()
	}
	select {
	case err := <-h.writing:
		h.writing = nil
		if err != nil {
			return errors.New("the database cannot be written to")
		}
		return nil
	case <-time.After(sluggish):
		return errors.New("the database is busy")
	}
}

// store leaves a file in the storage and takes it away. A storage on another machine is tried twice a minute, as each
// file costs money there.
func (h *health) store() error {
	every := time.Duration(0)
	if h.app.Settings().S3.Enabled {
		every = 30 * time.Second
	}
	now := clock.Now(h.app)
	if h.stored.IsZero() || now.Sub(h.stored) >= every {
		h.stored = now
		h.storeErr = nil
		if err := storeFile(h.app); err != nil {
			h.app.Logger().Warn("the storage takes no files", "err", err)
			h.storeErr = errors.New("the storage takes no files")
		}
	}
	return h.storeErr
}

func storeFile(app core.App) error {
	fsys, err := app.NewFilesystem()
	if err != nil {
		return fmt.Errorf("open the storage: %w", err)
	}
	defer fsys.Close()
	ctx, cancel := context.WithTimeout(context.Background(), sluggish)
	defer cancel()
	fsys.SetContext(ctx)
	name := "readyz-" + security.PseudorandomString(10)
	if err := fsys.Upload([]byte("ok"), name); err != nil {
		return fmt.Errorf("store a file: %w", err)
	}
	return fsys.Delete(name)
}
