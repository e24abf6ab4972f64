package rendition

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/internal/photo/door"
)

// transactionApp is an app that says whether it is in a transaction.
type transactionApp struct {
	core.App
	inTransaction bool
}

func (p transactionApp) IsTransactional() bool { return p.inTransaction }

// TestHold fills the memory for uploads and checks who waits for how long.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStudio(nil)
		s.SetMemory(100) // uploads have 50 of it
		alone, batch := transactionApp{}, transactionApp{inTransaction: true}
		files := func(sizes ...int64) (all []*filesystem.File) {
			for _, size := range sizes {
				all = append(all, &filesystem.File{Size: size})
			}
			return all
		}
		release, err := s.acquireUploadMemory(t.Context(), alone, "ada", files(20, 5, 20))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := s.acquireUploadMemory(t.Context(), alone, "ada", files(20)); !errors.Is(err, ErrBusy) || time.Since(start) != uploadTimeout {
			t.Errorf("a second waits %v: %v", time.Since(start), err)
		}
		start = time.Now()
		if _, err := s.acquireUploadMemory(t.Context(), batch, "ada", files(20)); !errors.Is(err, ErrBusy) || time.Since(start) != batchTimeout {
			t.Errorf("in a transaction it waits %v: %v", time.Since(start), err)
		}
		if small, err := s.acquireUploadMemory(t.Context(), batch, "ada", files(5)); err != nil {
			t.Errorf("what there is room for: %v", err)
		} else {
			small()
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := s.acquireUploadMemory(gone, alone, "ada", files(20)); !errors.Is(err, context.Canceled) {
			t.Errorf("somebody who left: %v", err)
		}
		time.AfterFunc(time.Second, func() {
			start := time.Now()
			for _, none := range [][]*filesystem.File{nil, {{Reader: &strippedReader{}, Size: 20}}} {
				if _, err := s.acquireUploadMemory(t.Context(), batch, "ada", none); err != nil || time.Since(start) != 0 {
					t.Errorf("no new photo, while another waits: %v, %v", time.Since(start), err)
				}
			}
			release()
		})
		whole, err := s.acquireUploadMemory(t.Context(), alone, "ada", files(1000))
		if err != nil {
			t.Fatalf("more than there is waits for all of it: %v", err)
		}
		if _, err := s.acquireUploadMemory(t.Context(), alone, "ada", files(1)); !errors.Is(err, ErrBusy) {
			t.Errorf("beside what takes all: %v", err)
		}
		whole()
	})
}

// TestOnlyOneHEICIsConverted: the others wait before they take memory from renditions.
func TestOnlyOneHEICIsConverted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStudio(nil)
		if _, err := s.convertSlot.Acquire(t.Context(), "bob", 1); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := s.convertToJPEG(t.Context(), "ada", nil, nil, door.Info{Kind: door.HEIC}); !errors.Is(err, ErrBusy) || time.Since(start) != decodeTimeout {
			t.Errorf("it waits %v: %v", time.Since(start), err)
		}
		if release, err := s.renderBudget.Acquire(t.Context(), "ada", 512<<20); err != nil {
			t.Errorf("it holds memory: %v", err)
		} else {
			release()
		}
	})
}
