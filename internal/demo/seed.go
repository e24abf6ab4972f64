package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// Size says how much of each thing Seed makes, and which world: the same Seed and numbers give the same world.
type Size struct {
	Users, Posts, Likes, Comments, Follows int
	Seed                                   uint64
}

// The time that a seeded world covers, and how many of its actions are stored in one transaction: many, as each
// transaction waits for the disk, but few enough to let a running server write in between.
const (
	seededSpan  = 30 * 24 * time.Hour
	seededChunk = 50
)

// Seed stores a made-up world through the product's hooks, as if people had done all of it over the last 30 days,
// and returns the handle of one of them. Names, texts, photos, ids and who does what follow from size alone; a second
// world of the same seed in one folder is an error. What is stored when ctx ends stays. report may be nil.
func Seed(ctx context.Context, app core.App, size Size, report func(done, total int)) (handle string, err error) {
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

// SetDefaults sets the numbers that were not given; they are lower than usual if there are only a few users.
func (s *Size) SetDefaults(given func(flag string) bool) {
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

// validate returns an error if such a world cannot be made, as far as that can be known before it is planned.
func (s Size) validate() error {
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
