package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/doubletap/doubletap/bench/seed"
	"github.com/doubletap/doubletap/bench/world"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/search"
)

// makeFolder makes the data folder, unless it is there, beside its place, so that half a folder is never taken for it.
func makeFolder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := os.MkdirAll(part, 0o700); err != nil {
		return err
	}
	app, err := openFolder(part)
	if err != nil {
		return err
	}
	if err := errors.Join(app.RunAllMigrations(), app.ClearBootstrap()); err != nil {
		return err
	}
	w := world.New(size)
	if err := seed.Doubletap(filepath.Join(part, "data.db"), w); err != nil {
		return err
	}
	if err := completeFolder(part, w); err != nil {
		return fmt.Errorf("complete %s: %w", part, err)
	}
	return os.Rename(part, dir)
}

// completeFolder adds what the world of the benchmark goes without: what is known of the photos, the search indexes and
// the files.
func completeFolder(dir string, w *world.World) (err error) {
	app, err := openFolder(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.ClearBootstrap()) }()
	statements := []string{`UPDATE posts SET alts = '["a photo"]', media = '[{"w":1600,"h":1200,"hash":"LEHV6nWB2yk8pyo0adR*.7kCMdnj","color":"#8a9ba8"}]'`}
	for _, kind := range search.Kinds {
		statements = append(statements, fmt.Sprintf(`INSERT OR IGNORE INTO search_%[1]s (n, id) SELECT rowid, id FROM %[1]s`, kind.Collection),
			fmt.Sprintf(`UPDATE search_%[1]s SET words = (SELECT doubletap_words(t.%[2]s) FROM %[1]s t WHERE t.id = search_%[1]s.id)`, kind.Collection, strings.Join(kind.Columns, ", t.")))
	}
	for _, statement := range statements {
		if _, err := db.Exec(app, statement, nil); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	posts, err := app.FindCollectionByNameOrId("posts")
	if err != nil {
		return err
	}
	for n := range w.Posts {
		folder := filepath.Join(dir, "storage", posts.Id, world.PostID(n))
		if err := os.MkdirAll(filepath.Join(folder, "thumbs_"+seed.PhotoName), 0o700); err != nil {
			return err
		}
		for _, name := range []string{seed.PhotoName, seed.PhotoName + ".attrs"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("{}"), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}
