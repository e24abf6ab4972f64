package command

import (
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/reconcile"
)

// LookAtPhotos is what the doctor finds of photos.
func LookAtPhotos(app core.App) Finding {
	f := &reconcile.Found{}
	if err := lookPhotos(app, f); err != nil {
		f.Fail(1, "could not look: %v", err)
	}
	return finding("photos", f)
}

// RepairPhotos is what the doctor does about it.
func RepairPhotos(app core.App) (n int64, err error) {
	err = locked(app, func(tx core.App) error {
		n, err = repairPhotos(tx)
		return err
	})
	return n, err
}
