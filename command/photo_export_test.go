package command

import (
	"context"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/reconcile"
)

// ExaminePhotos is what the doctor finds of photos.
func ExaminePhotos(app core.App) Finding {
	return groupFindings(reconcile.Examine(context.Background(), app, photoInvariants(), reconcile.ExamineOptions{}))[0]
}

// RepairPhotos is what the doctor does about it.
func RepairPhotos(app core.App) (n int64, err error) {
	reconcile.RepairAll(context.Background(), app, photoInvariants(), reconcile.ExamineOptions{}, func(_ *reconcile.Result, mended int64, failed error) {
		n += mended
		if failed != nil {
			err = failed
		}
	})
	return n, err
}
