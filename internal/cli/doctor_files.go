package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/list"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/reconcile"
)

// uploadGrace is how old a file without a record must be to be reported: a file is stored before its record.
const uploadGrace = time.Hour

// maxNamedFiles is how many lost files are checked a second time and named.
const maxNamedFiles = 100

// checkFiles compares the records with the files in the folder. A record without its file has lost something. A file
// without a record only takes up room, and is left for a person to delete.
func checkFiles(app core.App, f *reconcile.Problems) error {
	if app.Settings().S3.Enabled {
		return nil // a bucket is the provider's responsibility, and listing it costs money
	}
	storage := filepath.Join(app.DataDir(), core.LocalStorageDirName)
	all, err := app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth)
	if err != nil {
		return err
	}
	wanted, collections := map[string][]string{}, map[string]*core.Collection{}
	for _, c := range all {
		collections[c.Id] = c
		if err := readFileNames(app, c, "", wanted); err != nil {
			return err
		}
	}
	lost := 0
	lose := func(folder, name string) {
		c := collections[path.Dir(folder)]
		if lost++; lost > maxNamedFiles { // a storage that is not there: no need to look twice
			f.Failed++
		} else if isLost(app, c, storage, folder, name) {
			f.AddFailure(1, "%s %s has lost %s", c.Name, path.Base(folder), name)
		}
	}
	strays, first, since := 0, "", clock.Now(app).Add(-uploadGrace)
	stray := func(key string, info fs.FileInfo) {
		if info.ModTime().Before(since) {
			if strays++; first == "" || key < first {
				first = key
			}
		}
	}
	if err := compareStorage(storage, wanted, lose, stray); err != nil {
		return err
	}
	for _, folder := range slices.Sorted(maps.Keys(wanted)) { // there are no such folders
		for _, name := range wanted[folder] {
			lose(folder, name)
		}
	}
	f.AddWarning(strays, "%d files without a record, as storage/%s", strays, first)
	return nil
}

func compareStorage(storage string, wanted map[string][]string, lose func(folder, name string), stray func(key string, info fs.FileInfo)) error {
	root, err := openRootFolder(storage)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(compareFiles(root, "", nil, wanted, lose, stray), root.close())
}

// compareFiles compares a folder of the storage with the files that are wanted of it, and those in it likewise, and takes those that it meets
// out of wanted. What PocketBase derives from a file, its attributes and thumbs, goes with it. What is gone since its folder was read is left out.
//
// A folder is read once, and only what nobody wants is looked at by itself: with 100,000 photos all else is seconds.
func compareFiles(storage *openFolder, folder string, want []string, wanted map[string][]string, lose func(folder, name string), stray func(key string, info fs.FileInfo)) error {
	names, err := storage.readNames()
	if err != nil {
		return err
	}
	delete(wanted, folder)
	for _, name := range names {
		original, derived := strings.CutPrefix(name, "thumbs_")
		if slices.Contains(want, name) || strings.HasSuffix(name, ".attrs") || derived && slices.Contains(want, original) {
			continue
		}
		key := path.Join(folder, name)
		ofRecord, isRecords := wanted[key]
		if !isRecords {
			info, err := os.Lstat(storage.pathOf(name))
			if err == nil && !info.IsDir() {
				stray(key, info)
			}
			if err != nil || !info.IsDir() || derived && original != "" {
				continue
			}
		}
		if err := compareSubfolder(storage, name, key, ofRecord, wanted, lose, stray); err != nil {
			return err
		}
	}
	for _, name := range want {
		if !slices.Contains(names, name) {
			lose(folder, name)
		}
	}
	return nil
}

func compareSubfolder(storage *openFolder, name, folder string, want []string, wanted map[string][]string, lose func(folder, name string), stray func(key string, info fs.FileInfo)) error {
	opened, err := storage.openSubfolder(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(compareFiles(opened, folder, want, wanted, lose, stray), opened.close())
}

// readFileNames adds to names the files that the records of a collection name, or only the record id unless that is empty, by the folder
// of the record.
func readFileNames(app core.App, c *core.Collection, id string, names map[string][]string) error {
	condition := ""
	if id != "" {
		condition = " AND id = {:id}"
	}
	for _, field := range c.Fields {
		if field.Type() != core.FieldTypeFile {
			continue
		}
		var record, value string
		err := db.QueryEach(app, fmt.Sprintf(`SELECT id, [[%s]] FROM {{%s}} WHERE [[%s]] NOT IN ('', '[]')`, field.GetName(), c.Name, field.GetName())+condition, db.Params{"id": id}, func() {
			folder := c.Id + "/" + record
			names[folder] = append(names[folder], fileNames(value)...)
		}, &record, &value)
		if err != nil {
			return fmt.Errorf("files of %s: %w", c.Name, err)
		}
	}
	return nil
}

// fileNames returns the names in the value of a file field: one name, or a list of them as JSON. Nearly every list has one
// name that needs no decoding.
func fileNames(value string) []string {
	name, isList := strings.CutPrefix(value, `["`)
	name, ends := strings.CutSuffix(name, `"]`)
	if isList && ends && name != "" && !strings.ContainsAny(name, `"\`) {
		return []string{name}
	}
	return list.ToUniqueStringSlice(value)
}

// isLost looks again, at the file and at the record: one may have come since, or the other gone.
func isLost(app core.App, c *core.Collection, storage, folder, name string) bool {
	if _, err := os.Stat(filepath.Join(storage, filepath.FromSlash(folder), name)); err == nil { //nolint:nilerr // else the record decides, which is asked next
		return false
	}
	now := map[string][]string{}
	err := readFileNames(app, c, path.Base(folder), now) // what cannot be read is not known to be lost
	return err == nil && slices.Contains(now[folder], name)
}
