package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/demo"
	"github.com/doubletap/doubletap/internal/job"
)

func seedCommand(app core.App) *cobra.Command {
	size := demo.Size{}
	c := &cobra.Command{
		Use:   "seed",
		Short: "Fill the data folder with made-up people, photos and what they do",
		Long: "Fill the data folder with made-up people, photos, likes, comments and follows.\n" +
			"Everything goes through the product, so counts, feeds and notifications are real. The same --seed and\n" +
			"numbers give the same world. A server may run on the folder meanwhile.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			size.SetDefaults(c.Flags().Changed)
			return interruptible(app, func(ctx context.Context) error {
				if err := app.RunAllMigrations(); err != nil {
					return fmt.Errorf("seed: migrate: %w", err)
				}
				began := time.Now()
				handle, err := demo.Seed(ctx, app, size, newProgress("seed").reportCount)
				if err != nil {
					return fmt.Errorf("seed: %w", err)
				}
				out := c.OutOrStdout()
				fmt.Fprintf(out, "%d users, %d posts, %d likes, %d comments and %d follows in %s\n",
					size.Users, size.Posts, size.Likes, size.Comments, size.Follows, time.Since(began).Round(time.Second/10))
				if handle != "" {
					fmt.Fprintf(out, "sign in as %s, or any other of them; everybody's password is %s\n", handle, demo.Password)
				}
				jobs, err := countWaitingJobs(app)
				if err != nil {
					return err
				}
				if jobs > 0 {
					fmt.Fprintf(out, "%d jobs wait for the next serve, or the one that runs\n", jobs)
				}
				return nil
			})
		},
	}
	flags := c.Flags()
	flags.IntVar(&size.Users, "users", 50, "how many people")
	flags.IntVar(&size.Posts, "posts", 0, "how many posts, with a photo or two (default 4 for each user)")
	flags.IntVar(&size.Likes, "likes", 0, "how many likes (default 10 for each post)")
	flags.IntVar(&size.Comments, "comments", 0, "how many comments and replies (default 2 for each post)")
	flags.IntVar(&size.Follows, "follows", 0, "how many follows (default 10 for each user)")
	flags.Uint64Var(&size.Seed, "seed", 1, "which world")
	return c
}

// countWaitingJobs returns how many jobs are ready or running.
func countWaitingJobs(app core.App) (n int, err error) {
	counts, err := job.CountByState(app)
	for _, states := range counts {
		n += states["ready"] + states["running"]
	}
	return n, err
}
