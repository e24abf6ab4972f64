package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/demo"
	"github.com/doubletap/doubletap/internal/job"
)

func seedCommand(app core.App) *cobra.Command {
	size, asJSON := demo.Size{}, false
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
				handle, err := demo.Seed(ctx, db.WithContext(ctx, app), size, newProgress("seed").reportCount)
				if err != nil {
					return fmt.Errorf("seed: %w", err)
				}
				jobs, err := countWaitingJobs(app)
				if err != nil {
					return err
				}
				return printSeeded(c.OutOrStdout(), asJSON, seeded{size.Users, size.Posts, size.Likes, size.Comments, size.Follows, time.Since(began).Seconds(), handle, demo.Password, jobs})
			})
		},
	}
	flags := c.Flags()
	flags.IntVar(&size.Users, "users", 50, "how many people")
	flags.IntVar(&size.Posts, "posts", 0, "how many posts, with a photo or two (default 4 for each user)")
	flags.IntVar(&size.Likes, "likes", 0, "how many likes (default 10 for each post)")
	flags.IntVar(&size.Comments, "comments", 0, "how many comments and replies (default 2 for each post)")
	flags.IntVar(&size.Follows, "follows", 0, "how many follows (default 10 for each user)")
	flags.BoolVar(&asJSON, "json", false, "print what was made as an object")
	flags.Uint64Var(&size.Seed, "seed", 1, "which world")
	return c
}

// seeded is what a seed has made. Password is everybody's, and Handle is one of them; it is empty if there is nobody.
type seeded struct {
	Users       int     `json:"users"`
	Posts       int     `json:"posts"`
	Likes       int     `json:"likes"`
	Comments    int     `json:"comments"`
	Follows     int     `json:"follows"`
	Seconds     float64 `json:"seconds"`
	Handle      string  `json:"handle"`
	Password    string  `json:"password"`
	WaitingJobs int     `json:"waitingJobs"`
}

func printSeeded(out io.Writer, asJSON bool, made seeded) error {
	if asJSON {
		return json.NewEncoder(out).Encode(made) // #nosec G117 -- the password of people who do not exist, for who made them
	}
	text := fmt.Sprintf("%d users, %d posts, %d likes, %d comments and %d follows in %.1fs\n", made.Users, made.Posts, made.Likes, made.Comments, made.Follows, made.Seconds)
	if made.Handle != "" {
		text += fmt.Sprintf("sign in as %s, or any other of them; everybody's password is %s\n", made.Handle, made.Password)
	}
	if made.WaitingJobs > 0 {
		text += fmt.Sprintf("%d jobs wait for the next serve, or the one that runs\n", made.WaitingJobs)
	}
	_, err := io.WriteString(out, text)
	return err
}

// countWaitingJobs returns how many jobs are ready or running.
func countWaitingJobs(app core.App) (n int, err error) {
	counts, err := job.CountByState(app)
	for _, states := range counts {
		n += states["ready"] + states["running"]
	}
	return n, err
}
