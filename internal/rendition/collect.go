package rendition

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// Files are stored before the row that names them. A crash between the two leaves files of nobody. Those younger than
// minOrphanAge may still get their row, unless the process that stored them is gone. Those older than maxOrphanAge were
// looked at before by this process, or are of a time when none ran.
const (
	minOrphanAge  = time.Hour
	maxOrphanAge  = 48 * time.Hour
	maxOldOrphans = 100 // that crashes have left; more of them are photos whose records somebody has lost, and are kept
)

// CollectOrphans deletes the files of photos that no record names, and returns how many folders and files those were. Files on
// this machine that are older than began are of a process before this one; the clock of a storage elsewhere is not ours.
// With anyAge, folders without a record are found whatever their age, unless they are so many that the database must
// be the wrong one: they are kept, and the log says so. The folders of records that are there are looked through while
// they are young, as listing all of them takes hours where there are many.
func CollectOrphans(app core.App, began time.Time, anyAge bool) (int, error) {
	fsys, err := app.NewFilesystem()
	if err != nil {
		return 0, fmt.Errorf("open the storage: %w", err)
	}
	defer fsys.Close()
	isSettled := func(changed time.Time) bool {
		return clock.Now(app).Sub(changed) > minOrphanAge || (!app.Settings().S3.Enabled && changed.Before(began))
	}
	total := 0
	var failures []error
	for name, field := range PhotoFields {
		collection, err := app.FindCachedCollectionByNameOrId(name)
		if err != nil {
			return total, err
		}
		young, old, err := candidateFolders(app, fsys, collection.Id, isSettled)
		if err != nil {
			return total, fmt.Errorf("list the photos of %s: %w", name, err)
		}
		orphans, err := findOrphans(app, collection, young)
		if err == nil && anyAge {
			var older []string
			if older, err = findOrphans(app, collection, old); len(older) <= maxOldOrphans {
				orphans = append(orphans, older...)
			} else {
				app.Logger().Error("photos of no record are kept, as they are too many to be of a crash", "collection", name, "count", len(older))
			}
		}
		if err != nil {
			return total, fmt.Errorf("look for photos of %s without a record: %w", name, err)
		}
		n, err := deleteOrphans(fsys, collection, orphans)
		total += n
		if err != nil {
			failures = append(failures, fmt.Errorf("collect photos of %s: %w", name, err))
		}
		for chunk := range slices.Chunk(young, 500) {
			n, err := collectStrays(app, fsys, collection, field, chunk, isSettled)
			total += n
			if err != nil {
				failures = append(failures, fmt.Errorf("collect photos of %s: %w", name, err))
			}
		}
	}
	return total, errors.Join(failures...)
}

// candidateFolders returns the ids of records that have settled files: those younger than maxOrphanAge, and the others.
func candidateFolders(app core.App, fsys *filesystem.System, collection string, isSettled func(time.Time) bool) (young, old []string, err error) {
	isYoung := map[string]bool{}
	now := clock.Now(app)
	take := func(id string, changed time.Time) {
		if isSettled(changed) {
			isYoung[id] = isYoung[id] || now.Sub(changed) < maxOrphanAge
		}
	}
	defer func() {
		for id, is := range isYoung {
			if is {
				young = append(young, id)
			} else {
				old = append(old, id)
			}
		}
	}()
	if app.Settings().S3.Enabled {
		objects, err := fsys.List(collection + "/")
		for _, o := range objects {
			if id, _, ok := strings.Cut(strings.TrimPrefix(o.Key, collection+"/"), "/"); ok {
				take(id, o.ModTime)
			}
		}
		return nil, nil, err
	}
	entries, err := os.ReadDir(filepath.Join(app.DataDir(), core.LocalStorageDirName, collection))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && entry.IsDir() {
			take(entry.Name(), info.ModTime())
		}
	}
	return nil, nil, err
}

// findOrphans returns those of the ids that are of no record.
func findOrphans(app core.App, collection *core.Collection, ids []string) (orphans []string, err error) {
	for chunk := range slices.Chunk(ids, 500) {
		var gone []string
		err := db.QueryColumn(app, &gone, `SELECT value FROM json_each({:ids}) WHERE value NOT IN (SELECT id FROM {{`+collection.Name+`}})`, db.Params{"ids": db.JSONList(chunk)})
		if err != nil {
			return nil, err
		}
		orphans = append(orphans, gone...)
	}
	return orphans, nil
}

// deleteOrphans deletes the folders of these ids.
func deleteOrphans(fsys *filesystem.System, collection *core.Collection, ids []string) (total int, _ error) {
	var failures db.Failures // which keep no other files from being collected
	for _, id := range ids {
		if err := errors.Join(fsys.DeletePrefix(collection.Id + "/" + id + "/")...); err != nil {
			failures.Add(id, err)
			continue
		}
		total++
	}
	return total, failures.Err()
}

// collectStrays deletes the files in the folders of records that these do not name.
func collectStrays(app core.App, fsys *filesystem.System, collection *core.Collection, field string, ids []string, isSettled func(time.Time) bool) (total int, err error) {
	records, err := app.FindAllRecords(collection, dbx.In("id", toAnySlice(ids)...))
	if err != nil {
		return 0, err
	}
	var failures db.Failures
	for _, record := range records {
		n, err := deleteStrays(fsys, record, field, isSettled)
		total += n
		if err != nil {
			failures.Add(record.Id, err)
		}
	}
	return total, failures.Err()
}

// deleteStrays deletes the settled files in a record's folder that the record does not name, and returns how many.
func deleteStrays(fsys *filesystem.System, record *core.Record, field string, isSettled func(time.Time) bool) (n int, err error) {
	objects, err := fsys.List(record.BaseFilesPath() + "/")
	if err != nil {
		return 0, err
	}
	for _, o := range objects {
		name, _, _ := strings.Cut(strings.TrimPrefix(o.Key, record.BaseFilesPath()+"/"), "/")
		name = strings.TrimPrefix(name, "thumbs_")
		if !isSettled(o.ModTime) || slices.Contains(record.GetStringSlice(field), name) {
			continue
		}
		if err := fsys.Delete(o.Key); err != nil && !errors.Is(err, filesystem.ErrNotFound) {
			return n, err
		}
		n++
	}
	return n, nil
}

func toAnySlice(ids []string) []any {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	return values
}
