package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
)

// SeedSize says how much of each thing SeedData makes, and which world: the same Seed and numbers give the same world.
type SeedSize struct {
	Users, Posts, Likes, Comments, Follows int
	Seed                                   uint64
}

// The time that a seeded world covers, and how many of its actions are stored in one transaction: many, as each
// transaction waits for the disk, but few enough to let a running server write in between.
const (
	seededSpan  = 30 * 24 * time.Hour
	seededChunk = 50
)

// SeedData stores a made-up world through the product's hooks, as if people had done all of it over the last 30 days,
// and returns the handle of one of them. Names, texts, photos, ids and who does what follow from size alone; a second
// world of the same seed in one folder is an error. What is stored when ctx ends stays. report may be nil.
func SeedData(ctx context.Context, app core.App, size SeedSize, report func(done, total int)) (handle string, err error) {
	w, err := planWorld(size)
	if err != nil {
		return "", err
	}
	if len(w.people) > 0 {
		first, err := db.FindRecord(app, "users", w.people[0].id)
		if err != nil {
			return "", err
		}
		if first != nil {
			return "", fmt.Errorf("the world of --seed=%d, or a part of it, is in this folder already: choose another --seed", size.Seed)
		}
	}
	hash, err := passwordHash(app)
	if err != nil {
		return "", err
	}
	if err := w.buildTimeline(hash).storeActions(ctx, app, seededChunk, report); err != nil || len(w.people) == 0 {
		return "", err
	}
	first, err := app.FindRecordById("users", w.people[0].id)
	if err != nil {
		return "", fmt.Errorf("find who was made up: %w", err)
	}
	return first.GetString("handle"), nil // which differs from the planned one if somebody had that before
}

func seedCommand(app core.App) *cobra.Command {
	size := SeedSize{}
	c := &cobra.Command{
		Use:   "seed",
		Short: "Fill the data folder with made-up people, photos and what they do",
		Long: "Fill the data folder with made-up people, photos, likes, comments and follows.\n" +
			"Everything goes through the product, so counts, feeds and notifications are real. The same --seed and\n" +
			"numbers give the same world. A server may run on the folder meanwhile.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			size.setDefaults(c.Flags().Changed)
			return interruptible(app, func(ctx context.Context) error {
				if err := app.RunAllMigrations(); err != nil {
					return fmt.Errorf("seed: migrate: %w", err)
				}
				began := time.Now()
				handle, err := SeedData(ctx, app, size, newProgress("seed").reportCount)
				if err != nil {
					return fmt.Errorf("seed: %w", err)
				}
				out := c.OutOrStdout()
				fmt.Fprintf(out, "%d users, %d posts, %d likes, %d comments and %d follows in %s\n",
					size.Users, size.Posts, size.Likes, size.Comments, size.Follows, time.Since(began).Round(time.Second/10))
				if handle != "" {
					fmt.Fprintf(out, "sign in as %s, or any other of them; everybody's password is %s\n", handle, Password)
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

// setDefaults sets the numbers that were not given; they are lower than usual if there are only a few users.
func (s *SeedSize) setDefaults(given func(flag string) bool) {
	unless := func(flag string, number *int, value int) {
		if !given(flag) {
			*number = value
		}
	}
	unless("posts", &s.Posts, 4*s.Users)
	unless("likes", &s.Likes, s.Posts*min(10, (s.Users+3)/4))
	unless("comments", &s.Comments, 2*s.Posts)
	unless("follows", &s.Follows, min(10*s.Users, s.Users*(s.Users-1)/3))
}

// countWaitingJobs returns how many jobs are ready or running.
func countWaitingJobs(app core.App) (n int, err error) {
	counts, err := job.CountByState(app)
	for _, states := range counts {
		n += states["ready"] + states["running"]
	}
	return n, err
}

// validate returns an error if such a world cannot be made, as far as that can be known before it is planned.
func (s SeedSize) validate() error {
	switch {
	case min(s.Users, s.Posts, s.Likes, s.Comments, s.Follows) < 0:
		return errors.New("a number is below zero")
	case s.Users == 0 && s.Posts > 0:
		return errors.New("posts need users")
	case s.Posts == 0 && s.Likes+s.Comments > 0:
		return errors.New("likes and comments need posts")
	case s.Follows > s.Users*(s.Users-1):
		return fmt.Errorf("%d users cannot follow each other %d times, only %d", s.Users, s.Follows, s.Users*(s.Users-1))
	}
	return nil
}
