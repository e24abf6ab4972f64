package command

import "github.com/pocketbase/pocketbase/core"

// LookAtPhotos is what the doctor finds of photos.
func LookAtPhotos(app core.App) Finding {
	f := &found{}
	if err := lookPhotos(app, f); err != nil {
		f.fail(1, "could not look: %v", err)
	}
	return f.finding("photos")
}

// RepairPhotos is what the doctor does about it.
func RepairPhotos(app core.App) (n int64, err error) {
	err = locked(app, func(tx core.App) error {
		n, err = repairPhotos(tx)
		return err
	})
	return n, err
}
