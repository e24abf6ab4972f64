package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/list"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/reconcile"
)

// A file is stored before its record is, so one that is younger than this is perhaps waiting for it.
const upload = time.Hour

// mostNamed is how many lost files are looked for twice, and named.
const mostNamed = 100

// lookFiles compares the records with the files in the folder. A record without its file has lost something;
// a file without a record takes up room only, and is left to a person to delete.
func lookFiles(app core.App, f *reconcile.Found) error {
	if app.Settings().S3.Enabled {
		return nil // a bucket is the provider's to look after, and listing it costs
	}
	storage := filepath.Join(app.DataDir(), core.LocalStorageDirName)
	stored, err := storedFiles(storage)
	if err != nil {
		return err
	}
	collections, err := app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth)
	if err != nil {
		return err
	}
	wanted, gone := map[string]bool{}, 0
	for _, c := range collections {
		keys, err := filesOf(app, c, "")
		if err != nil {
			return err
		}
		for _, key := range keys {
			wanted[key] = true
			if stored[key] {
				continue
			}
			if gone++; gone > mostNamed { // a storage that is not there: no need to look twice
				f.Failed++
			} else if lost(app, c, storage, key) {
				f.Fail(1, "%s %s has lost %s", c.Name, path.Base(path.Dir(key)), path.Base(key))
			}
		}
	}
	strays, first, since := 0, "", clock.Now(app).Add(-upload)
	for key := range stored {
		if wanted[key] {
			continue
		}
		if info, err := os.Lstat(filepath.Join(storage, filepath.FromSlash(key))); err == nil && info.ModTime().Before(since) {
			if strays++; first == "" || key < first {
				first = key
			}
		}
	}
	f.Warn(strays, "%d files without a record, as storage/%s", strays, first)
	return nil
}

// storedFiles are the originals in the storage, as collection/record/name. What PocketBase
// derives from one, its attributes and thumbs, goes with it.
func storedFiles(storage string) (map[string]bool, error) {
	files := map[string]bool{}
	err := filepath.WalkDir(storage, func(file string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // none stored yet, or gone since the folder was read
		}
		if err != nil {
			return err
		}
		key, err := filepath.Rel(storage, file)
		if err != nil {
			return err
		}
		key = filepath.ToSlash(key)
		if entry.IsDir() {
			if original, ok := strings.CutPrefix(entry.Name(), "thumbs_"); ok && original != "" {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(key, ".attrs") {
			return nil
		}
		files[key] = true
		return nil
	})
	return files, err
}

// filesOf are the files that the records of a collection name, or only the record id unless that is empty.
func filesOf(app core.App, c *core.Collection, id string) (keys []string, err error) {
	for _, field := range c.Fields {
		if field.Type() != core.FieldTypeFile {
			continue
		}
		var rows []struct {
			ID    string `db:"id"`
			Names string `db:"names"`
		}
		err := db.All(app, &rows, fmt.Sprintf(`SELECT id, [[%s]] names FROM {{%s}} WHERE [[%s]] NOT IN ('', '[]') AND (id = {:id} OR {:id} = '')`,
			field.GetName(), c.Name, field.GetName()), db.Params{"id": id})
		if err != nil {
			return nil, fmt.Errorf("files of %s: %w", c.Name, err)
		}
		for _, row := range rows {
			for _, name := range list.ToUniqueStringSlice(row.Names) {
				keys = append(keys, path.Join(c.Id, row.ID, name))
			}
		}
	}
	return keys, nil
}

// lost looks again, at the file and at the record: one may have come since, or the other gone.
func lost(app core.App, c *core.Collection, storage, key string) bool {
	if _, err := os.Stat(filepath.Join(storage, filepath.FromSlash(key))); err == nil {
		return false
	}
	now, err := filesOf(app, c, path.Base(path.Dir(key)))
	return err == nil && slices.Contains(now, key)
}
