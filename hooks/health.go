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

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/datafolder"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/metrics"
)

const (
	readyTimeout = 2 * time.Second // for a write; when it is over, the service is not ready
	minFreeBytes = 64 << 20        // that the disk must have left
)

// health knows whether this process can serve, and ends it in order.
type health struct {
	app    core.App
	drain  *metrics.Drain
	server *http.Server

	mu           sync.Mutex // guards the results of the last checks
	checkedAt    time.Time
	lastErr      error
	pendingWrite chan error // gets the result of the write that is under way; nil if there is none

	storageCheckedAt time.Time // when the storage was last tried
	storageErr       error

	structure *structureCheck
}

// bindHealth adds /livez and /readyz, and ends the process in order: it is no longer ready, requests and jobs end,
// realtime connections are closed, and then PocketBase's own handlers run.
func (s *Social) bindHealth() {
	h := &health{app: s.app, drain: metrics.NewDrain(), structure: &structureCheck{app: s.app}}
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		h.server = e.Server
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: -99999, Func: func(e *core.RequestEvent) error {
			if e.Request.URL.Path == "/api/realtime" && e.Request.Method != http.MethodPost {
				return e.Next() // it lasts until it is closed
			}
			defer h.drain.EnterRequest()()
			return e.Next()
		}})
		return e.Next()
	})
	s.routes = append(s.routes, route{
		method: "GET", path: "/livez", skipsLog: true, responseBody: healthState{},
		summary: "Whether the process lives.",
		handle:  func(e *core.RequestEvent) error { return respondHealth(e, nil, nil, nil) },
	}, route{
		method: "GET", path: "/readyz", skipsLog: true, responseBody: healthState{}, errorStatuses: []int{http.StatusServiceUnavailable},
		summary: "Whether it can serve: it can write rows and files, the disk has room, its collections are there, and it is not about to end. What differs from what ships is counted in data, which names damaged logs that were set aside.",
		handle: func(e *core.RequestEvent) error {
			err := h.checkReady()
			return respondHealth(e, err, h.structure.findingCounts(), datafolder.DamagedLogs(h.app.DataDir()))
		},
	})
	s.bindTermination(h)
}

// healthState is the answer to a supervisor, in PocketBase's shape.
type healthState struct {
	Status  int            `json:"status"`
	Message string         `json:"message"`
	Data    map[string]any `json:"data"`
}

// respondHealth answers a supervisor. A bad state is an answer and no error, so that the log does not get a row each
// time that somebody asks.
func respondHealth(e *core.RequestEvent, err error, differs map[string]int, aside []string) error {
	e.Response.Header().Set("Cache-Control", "no-store")
	data := map[string]any{}
	if len(differs) > 0 {
		data["structure"] = differs
	}
	if len(aside) > 0 {
		data["setAside"] = aside
	}
	if err != nil {
		return e.JSON(http.StatusServiceUnavailable, healthState{http.StatusServiceUnavailable, err.Error(), data})
	}
	return e.JSON(http.StatusOK, healthState{http.StatusOK, "ok", data})
}

// checkReady returns why the service cannot serve, or nil. It looks at most once a second, however often it is asked.
func (h *health) checkReady() error {
	if h.drain.HasBegun() {
		return errors.New("draining")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := clock.Now(h.app); now.Sub(h.checkedAt) >= time.Second {
		h.lastErr = errors.Join(h.checkFreeSpace(), h.checkDatabaseWrite(), h.checkIntegrity(), h.checkStorage(), h.structure.checkRequired())
		h.checkedAt = now
	}
	return h.lastErr
}

// checkFreeSpace returns an error if the disk has less than minFreeBytes left.
func (h *health) checkFreeSpace() error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(h.app.DataDir(), &disk); err != nil {
		return errors.New("the data folder cannot be looked at")
	}
	if disk.Bavail*uint64(disk.Bsize) < minFreeBytes { //nolint:gosec // a block has a positive size
		return errors.New("the disk is full")
	}
	return nil
}

// checkIntegrity returns an error if something that was read of the database made no sense. It does so until the
// process starts anew.
func (h *health) checkIntegrity() error {
	if db.IsDamaged(h.app) {
		return errors.New("the database is damaged: run doctor")
	}
	return nil
}

// checkDatabaseWrite stores and removes a row, in one transaction that leaves nothing. It returns an error if that
// fails or takes longer than readyTimeout.
func (h *health) checkDatabaseWrite() error {
	if h.pendingWrite == nil {
		written := make(chan error, 1)
		h.pendingWrite = written
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
	case err := <-h.pendingWrite:
		h.pendingWrite = nil
		if err != nil {
			return errors.New("the database cannot be written to")
		}
		return nil
	case <-time.After(readyTimeout):
		return errors.New("the database is busy")
	}
}

// checkStorage stores a file in the storage and deletes it. A storage on another machine is tried at most twice a
// minute, as each file costs money there.
func (h *health) checkStorage() error {
	every := time.Duration(0)
	if h.app.Settings().S3.Enabled {
		every = 30 * time.Second
	}
	now := clock.Now(h.app)
	if h.storageCheckedAt.IsZero() || now.Sub(h.storageCheckedAt) >= every {
		h.storageCheckedAt = now
		h.storageErr = nil
		if err := storeProbeFile(h.app); err != nil {
			h.app.Logger().Warn("the storage takes no files", "err", err)
			h.storageErr = errors.New("the storage takes no files")
		}
	}
	return h.storageErr
}

func storeProbeFile(app core.App) error {
	fsys, err := app.NewFilesystem()
	if err != nil {
		return fmt.Errorf("open the storage: %w", err)
	}
	defer fsys.Close()
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	fsys.SetContext(ctx)
	name := "readyz-" + security.PseudorandomString(10)
	if err := fsys.Upload([]byte("ok"), name); err != nil {
		return fmt.Errorf("store a file: %w", err)
	}
	return fsys.Delete(name)
}
