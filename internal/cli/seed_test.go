package cli_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/demo"
	"github.com/doubletap/doubletap/internal/testenv"
)

// smallSize is the size of the world of these tests.
var smallSize = demo.Size{Users: 10, Posts: 8, Likes: 40, Comments: 30, Follows: 40, Seed: 7}

// seededService starts a service on a copy of the small world.
func seededService(t *testing.T) *hookstest.Service {
	t.Helper()
	seededFolder.Do(func() { seededFolder.dir, seededFolder.err = makeSeededFolder() })
	if seededFolder.err != nil {
		t.Fatal("make the small world:", seededFolder.err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(seededFolder.dir)); err != nil {
		t.Fatal(err)
	}
	return hookstest.Open(t, dir)
}

// seededFolder is a folder that is seeded once and copied for each test.
var seededFolder struct {
	sync.Once
	dir string
	err error
}

func makeSeededFolder() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "command_test"); err != nil {
		return "", err
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	hooks.Bind(app)
	if err := app.Bootstrap(); err != nil {
		return dir, err
	}
	app.Settings().Logs.MaxDays = 0
	if err := app.RunAllMigrations(); err != nil {
		return dir, err
	}
	if _, err := demo.Seed(context.Background(), app, smallSize, nil); err != nil {
		return dir, err
	}
	return dir, app.ClearBootstrap()
}

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // a seventh less work under the race detector, for memory that tests have
	code := m.Run()
	if seededFolder.dir != "" {
		_ = os.RemoveAll(seededFolder.dir)
	}
	os.Exit(code)
}

// tableHashes returns a hash of each table, without columns that are random or depend on the clock.
func tableHashes(t *testing.T, app core.App) map[string]string {
	t.Helper()
	hashes := map[string]string{}
	for table, columns := range map[string]string{
		"users":         "id, email, handle, name, bio, private, state, avatar, postsCount, followersCount, followingCount",
		"posts":         "id, author, photos, alts, caption, visibility, place, geo, likesCount, commentsCount",
		"likes":         "id, post, user",
		"comments":      "id, post, author, parent, text, likesCount, repliesCount",
		"follows":       "id, follower, followee, state",
		"feed":          "viewer, post, author",
		"notifications": "recipient, type, actors, actorsCount, post, comment, seq",
		"hashtags":      "name, postsCount",
		"stories":       "id, author, photo, visibility",
		"story_views":   "id, story, viewer",
	} {
		var rows []string
		err := app.DB().NewQuery("SELECT json_array(" + columns + ") FROM " + table + " ORDER BY 1").Column(&rows)
		if err != nil {
			t.Fatalf("read %s: %v", table, err)
		}
		sum := sha256.Sum256([]byte(fmt.Sprint(rows)))
		hashes[table] = fmt.Sprint(len(rows), " rows, ", hex.EncodeToString(sum[:6]))
	}
	return hashes
}

func TestSeedStoresAsMuchAsAsked(t *testing.T) {
	s := seededService(t)
	for table, want := range map[string]int{"users": smallSize.Users, "posts": smallSize.Posts, "likes": smallSize.Likes, "comments": smallSize.Comments, "follows": smallSize.Follows} {
		if n := s.Rows(table, "1"); n != want {
			t.Errorf("%d %s, want %d", n, table, want)
		}
	}
	for what, condition := range map[string]string{
		"feed":          "viewer != author",
		"notifications": "actorsCount > 1",
		"post_tags":     "1",
		"posts":         "likesCount > 0 AND created < strftime('%Y-%m-%d', 'now', '-1 day')",
	} {
		if s.Rows(what, condition) == 0 {
			t.Errorf("no %s where %s", what, condition)
		}
	}
}

func TestTheSameSeedGivesEqualData(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.Open(t, dbtest.MigratedFolder(t))
	handle, err := demo.Seed(context.Background(), s.App, smallSize, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := seededService(t)
	for _, s := range []*hookstest.Service{first, s} {
		s.RunJobs() // they reach the followers that the seed's transactions left to jobs
	}
	again := tableHashes(t, s.App)
	for table, want := range tableHashes(t, first.App) {
		if again[table] != want {
			t.Errorf("%s: %s, then %s", table, want, again[table])
		}
	}
	s.Guest().Must(200, "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": handle, "password": demo.Password})
}

func TestSeedTwice(t *testing.T) {
	testenv.SkipSequential(t)
	s := seededService(t)
	before := tableHashes(t, s.App)
	if _, err := demo.Seed(context.Background(), s.App, smallSize, nil); err == nil || !strings.Contains(err.Error(), "another --seed") {
		t.Errorf("the same world again: %v, want words about another --seed", err)
	}
	if after := tableHashes(t, s.App); !maps.Equal(before, after) {
		t.Errorf("the refused world changed %v to %v", before, after)
	}
	other := smallSize
	other.Seed++
	other.Posts = 2
	other.Likes = 2
	if _, err := demo.Seed(context.Background(), s.App, other, nil); err != nil {
		t.Errorf("another world: %v", err)
	}
	if n, want := s.Rows("users", "1"), smallSize.Users+other.Users; n != want {
		t.Errorf("%d users after another world, want %d", n, want)
	}
	expectHealthy(t, s.App)
}

func TestSeedRefusesWhatCannotBe(t *testing.T) {
	s := hookstest.Open(t, dbtest.MigratedFolder(t))
	for want, size := range map[string]demo.Size{
		"below zero":             {Users: -1},
		"posts need users":       {Posts: 1},
		"need posts":             {Users: 2, Likes: 1},
		"only 2":                 {Users: 2, Follows: 3},
		"can have 2 likes, not ": {Users: 2, Posts: 1, Likes: 3, Seed: 1},
	} {
		if _, err := demo.Seed(context.Background(), s.App, size, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("seed %+v: %v, want %q", size, err, want)
		}
	}
	if n := s.Rows("users", "1"); n != 0 {
		t.Errorf("%d users were made", n)
	}
}

func TestSeedFillsToTheBrim(t *testing.T) {
	testenv.SkipSequential(t)
	full := demo.Size{Users: 5, Posts: 3, Follows: 20, Likes: 15, Seed: 3}
	s := hookstest.Open(t, dbtest.MigratedFolder(t))
	_, err := demo.Seed(context.Background(), s.App, full, nil)
	for n := full.Likes; err != nil && n > 0; n-- { // fewer people see a private post
		full.Likes = n
		_, err = demo.Seed(context.Background(), s.App, full, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Rows("likes", "1"); n != full.Likes || n < 8 {
		t.Errorf("%d likes, want %d, and many", n, full.Likes)
	}
}

func TestSeedInterrupted(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.Open(t, dbtest.MigratedFolder(t))
	ctx, stop := context.WithCancel(context.Background())
	stored := 0
	_, err := demo.Seed(ctx, s.App, smallSize, func(done, total int) { stored = done; stop() })
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d of ", stored)) {
		t.Errorf("interrupted: %v, want how many of %d steps are stored", err, stored)
	}
	if n := s.Rows("users", "1"); n == 0 || s.Rows("likes", "1") == smallSize.Likes {
		t.Errorf("%d users, and all likes: want a beginning", n)
	}
	expectHealthy(t, s.App)
}
