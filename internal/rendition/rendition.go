// Package rendition stores every photo in the sizes that screens show, beside the photo and under the keys that
// PocketBase's ?thumb= reads.
package rendition

import (
	"path"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/photo"
)

// PhotoFields names the field of each collection that holds photos, as the collections' descriptors say.
var PhotoFields = func() map[string]string {
	fields := map[string]string{}
	for _, name := range collection.PhotoNames() {
		fields[name] = collection.Describe(name).Photos
	}
	return fields
}()

// PhotoOwner returns the id of the person to whom the work on a record's photos is counted: the author, or the user
// of an avatar.
func PhotoOwner(record *core.Record) string {
	if record.Collection().Name == "users" {
		return record.Id
	}
	return record.GetString("author")
}

// JobKind is the kind of the job that makes the renditions of a record's photos.
const JobKind = "photo.render"

// Payload is what a job of JobKind holds: whose renditions it makes.
type Payload struct{ Collection, Record string }

// IsKnownSize reports whether size is one of those that exist of every photo.
func IsKnownSize(size string) bool {
	return slices.Contains(photo.ThumbNames(), size)
}

// StorageKey returns the storage's key of the rendition of a file in a size.
func StorageKey(record *core.Record, file, size string) string {
	return renditionFolder(record, file) + size + "_" + file
}

func renditionFolder(record *core.Record, file string) string {
	return record.BaseFilesPath() + "/thumbs_" + file + "/"
}

// IsOther reports whether a file has a name that no photo has. An adopted app has such avatars from before, an SVG for
// one; they are served as they are.
func IsOther(file string) bool {
	return !slices.Contains([]string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".heif"}, strings.ToLower(path.Ext(file)))
}
