package cli

import (
	"context"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/rendition"
)

// RebuildRenditions makes the renditions that photos lack or have in other sizes, and returns how many posts, stories
// and avatars it checked. What was made before an interruption is not made again.
func RebuildRenditions(ctx context.Context, app core.App, report func(done, total int)) (int, error) {
	var all []struct {
		Collection string `db:"collection"`
		ID         string `db:"id"`
	}
	err := db.QueryAll(app, &all, `SELECT 'posts' collection, id FROM posts
		UNION ALL SELECT 'stories', id FROM stories UNION ALL SELECT 'users', id FROM users WHERE avatar != ''`, nil)
	if err != nil {
		return 0, fmt.Errorf("list photos: %w", err)
	}
	memory, err := rendition.MemoryFromEnv()
	if err != nil {
		return 0, err
	}
	studio := rendition.NewStudio(app)
	studio.SetMemory(memory)
	for i, record := range all {
		if err := ctx.Err(); err != nil {
			return i, fmt.Errorf("interrupted: %d of %d are done", i, len(all))
		}
		if err := studio.Publish(ctx, app, record.Collection, record.ID); err != nil {
			return i, err
		}
		report(i+1, len(all))
	}
	return len(all), nil
}

func photosCommand(app core.App) *cobra.Command {
	photos := &cobra.Command{Use: "photos", Short: "Look after the photos' renditions"}
	photos.AddCommand(&cobra.Command{
		Use:           "rebuild",
		Short:         "Make the renditions that photos lack, or have in other sizes than today's",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			return interruptible(app, func(ctx context.Context) error {
				if err := app.RunAllMigrations(); err != nil {
					return fmt.Errorf("migrate: %w", err)
				}
				n, err := RebuildRenditions(ctx, db.WithContext(ctx, app), newProgress("photos").reportCount)
				if err != nil {
					return fmt.Errorf("photos rebuild: %w", err)
				}
				fmt.Fprintf(c.OutOrStdout(), "%d posts, stories and avatars have their renditions\n", n)
				return nil
			})
		},
	})
	return photos
}
