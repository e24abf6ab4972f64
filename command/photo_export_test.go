package command

import (
	"context"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/reconcile"
)

// LookAtPhotos is what the doctor finds of photos.
func LookAtPhotos(app core.App) Finding {
	return findings(reconcile.Examine(context.Background(), app, photoInvariants(), reconcile.Watch{}))[0]
}

// RepairPhotos is what the doctor does about it.
func RepairPhotos(app core.App) (n int64, err error) {
	reconcile.RepairAll(context.Background(), app, photoInvariants(), reconcile.Watch{}, func(_ *reconcile.Result, mended int64, failed error) {
		n += mended
		if failed != nil {
			err = failed
		}
	})
	return n, err
}
