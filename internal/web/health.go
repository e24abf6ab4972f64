package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"github.com/doubletap/doubletap/internal/background"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/metrics"
)

const (
	readyTimeout = 2 * time.Second // for a write; when it is over, the service is not ready
	minFreeBytes = 64 << 20        // that the disk must have left
)

// Health knows whether this process can serve.
type Health struct {
	Drain *metrics.Drain // of the requests under way

	app            core.App
	checkStructure func() error // why the data lacks something that the service needs, or nil

	mu           sync.Mutex // guards the results of the last checks
	checkedAt    time.Time
	lastErr      error
	pendingWrite chan error // gets the result of the write that is under way; nil if there is none
	writing      sync.WaitGroup

	storageCheckedAt time.Time // when the storage was last tried
	storageErr       error
}

// NewHealth returns the health of an app. checkStructure returns why the data lacks something that the service needs.
func NewHealth(app core.App, checkStructure func() error) *Health {
	return &Health{Drain: metrics.NewDrain(), app: app, checkStructure: checkStructure}
}

// CountRequest is the middleware that counts the requests under way. A stream is none: it lasts until it is closed.
func (h *Health) CountRequest(e *core.RequestEvent) error {
	if e.Request.URL.Path == "/api/realtime" && e.Request.Method != http.MethodPost {
		return e.Next()
	}
	defer h.Drain.EnterRequest()()
	return e.Next()
}

// Close waits for the write that a check began, or until ctx ends. No check may come after it.
func (h *Health) Close(ctx context.Context) error { return background.Wait(ctx, &h.writing) }

// HealthState is the answer to a supervisor, in PocketBase's shape.
type HealthState struct {
	Status  int            `json:"status"`
	Message string         `json:"message"`
	Data    map[string]any `json:"data"`
}

// RespondHealth answers a supervisor. A bad state is an answer and no error, so that the log does not get a row each
// time that somebody asks.
func RespondHealth(e *core.RequestEvent, err error, differs map[string]int, aside []string) error {
	e.Response.Header().Set("Cache-Control", "no-store")
	data := map[string]any{}
	if len(differs) > 0 {
		data["structure"] = differs
	}
	if len(aside) > 0 {
		data["setAside"] = aside
	}
	if err != nil {
		return e.JSON(http.StatusServiceUnavailable, HealthState{http.StatusServiceUnavailable, err.Error(), data})
	}
	return e.JSON(http.StatusOK, HealthState{http.StatusOK, "ok", data})
}

// CheckReady returns why the service cannot serve, or nil. It looks at most once a second, however often it is asked.
func (h *Health) CheckReady() error {
	if h.Drain.HasBegun() {
		return errors.New("draining")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := clock.Now(h.app); now.Sub(h.checkedAt) >= time.Second {
		h.lastErr = errors.Join(h.checkFreeSpace(), h.checkDatabaseWrite(), h.checkIntegrity(), h.checkStorage(), h.checkStructure())
		h.checkedAt = now
	}
	return h.lastErr
}

// checkFreeSpace returns an error if the disk has less than minFreeBytes left.
func (h *Health) checkFreeSpace() error {
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
func (h *Health) checkIntegrity() error {
	if db.IsDamaged(h.app) {
		return errors.New("the database is damaged: run doctor")
	}
	return nil
}

// checkDatabaseWrite stores and removes a row, in one transaction that leaves nothing. It returns an error if that
// fails or takes longer than readyTimeout.
func (h *Health) checkDatabaseWrite() error {
	if h.pendingWrite == nil {
		written := make(chan error, 1)
		h.pendingWrite = written
		h.writing.Go(func() {
			written <- h.app.RunInTransaction(func(tx core.App) error {
				_, err := db.Exec(tx, `INSERT INTO secrets (id, name, value, created, updated) VALUES ('readyz000000000', 'readyz', '', '', '')`, nil)
				if err != nil {
					return err
				}
				_, err = db.Exec(tx, `DELETE FROM secrets WHERE id = 'readyz000000000'`, nil)
				return err
			})
		})
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
func (h *Health) checkStorage() error {
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
