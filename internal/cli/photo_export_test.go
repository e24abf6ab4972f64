package cli

import (
	"context"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/reconcile"
)

// ExaminePhotos returns what doctor finds about photos.
func ExaminePhotos(app core.App) Finding {
	return groupFindings(reconcile.Examine(context.Background(), app, photoInvariants(), reconcile.ExamineOptions{}))[0]
}

// RepairPhotos repairs what doctor can repair about photos, and returns how many rows it mended.
func RepairPhotos(app core.App) (n int64, err error) {
	reconcile.RepairAll(context.Background(), app, photoInvariants(), reconcile.ExamineOptions{}, func(_ *reconcile.Result, mended int64, failed error) {
		n += mended
		if failed != nil {
			err = failed
		}
	})
	return n, err
}
