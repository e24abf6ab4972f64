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

// Files are stored before the row that names them. A crash between the two leaves files of nobody; younger
// ones than settled may still get their row, unless the process that stored them is gone. Older ones than looked were
// looked at before, by this process: at its start all folders are looked at, as nobody ran when theirs was the time.
const (
	minOrphanAge = time.Hour
	maxOrphanAge = 48 * time.Hour
)

// CollectOrphans deletes the files of photos that no record names, and returns how many folders and files those were. Files on
// this machine that are older than began are of a process before this one; the clock of a storage elsewhere is not ours. With
// began, folders without a record are found whatever their age; it is zero when that was done. Beside the files of a record that is there
// only what is young is looked through: to list each record's folder would take a start of many posts hours.
func CollectOrphans(app core.App, began time.Time) (int, error) {
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
		if began.IsZero() {
			old = nil
		}
		for chunk := range slices.Chunk(slices.Concat(young, old), 500) {
			n, err := collectOrphans(app, fsys, collection, chunk)
			total += n
			if err != nil {
				failures = append(failures, fmt.Errorf("collect photos of %s: %w", name, err))
			}
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

// candidateFolders returns the ids of records that have settled files: young ones that came since looked, and the others.
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

// collectOrphans deletes the folders, of those of the ids, that are of no record.
func collectOrphans(app core.App, fsys *filesystem.System, collection *core.Collection, ids []string) (int, error) {
	var gone []string
	err := db.QueryColumn(app, &gone, `SELECT value FROM json_each({:ids}) WHERE value NOT IN (SELECT id FROM {{`+collection.Name+`}})`, db.Params{"ids": db.JSONList(ids)})
	if err != nil {
		return 0, err
	}
	total := 0
	var failures db.Failures // which keep no other files from being collected
	for _, id := range gone {
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
