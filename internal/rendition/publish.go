package rendition

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/photo"
)

// Publish makes all renditions of a record's photos and, for a post, stores their metas in one change. It returns nil
// for a record that is gone. A photo that cannot be decoded gets no rendition and a null meta.
func (s *Studio) Publish(ctx context.Context, app core.App, collection, id string) error {
	record, err := db.FindRecord(app, collection, id)
	if err != nil || record == nil {
		return err
	}
	files := record.GetStringSlice(PhotoFields[collection])
	metas := make([]*Meta, len(files))
	for i, file := range files {
		s.forgetFile(record, file) // so that the storage is asked, not what is remembered of it
		meta, err := s.EnsureRendered(ctx, record, file)
		switch {
		case errors.Is(err, photo.ErrUnreadable):
			app.Logger().Warn("photo cannot be rendered", "collection", collection, "id", id, "file", file, "err", err)
		case err != nil:
			return err
		default:
			metas[i] = &meta
		}
	}
	if collection != "posts" {
		return nil
	}
	return app.RunInTransaction(func(tx core.App) error { return storeMetas(tx, id, metas) })
}

func storeMetas(tx core.App, post string, metas []*Meta) error {
	record, err := db.FindRecord(tx, "posts", post)
	if err != nil || record == nil {
		return err
	}
	text, err := json.Marshal(metas)
	if err != nil {
		return err
	}
	if record.GetString("media") == string(text) {
		return nil
	}
	record.Set("media", string(text))
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("store media of post %s: %w", post, err)
	}
	return nil
}
