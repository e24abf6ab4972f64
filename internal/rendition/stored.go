package rendition

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/filesystem/blob"

	"github.com/doubletap/doubletap/internal/photo"
)

// Meta is what a screen needs to know of a photo before it has loaded it.
type Meta struct {
	Width  int    `json:"w"`
	Height int    `json:"h"`
	Hash   string `json:"hash"`
	Color  string `json:"color"`
}

// renditionVersion is the version of the sizes and of how they are made. A photo rendered by another version is
// rendered again when it is next asked for, or by the command photos.
const renditionVersion = 1

// metaFile is the content of a photo's meta.json.
type metaFile struct {
	Meta
	Version int `json:"version"`
}

const metaFileName = "meta.json"

// storedMeta returns the file's stored Meta, and whether all of its renditions are in the storage in the current
// version.
func storedMeta(fsys *filesystem.System, record *core.Record, file string) (Meta, bool) {
	objects, err := fsys.List(renditionFolder(record, file))
	if err != nil {
		return Meta{}, false
	}
	lies := func(key string) bool {
		return slices.ContainsFunc(objects, func(o *blob.ListObject) bool { return o.Key == key })
	}
	for _, size := range photo.Sizes {
		if !lies(StorageKey(record, file, size.ThumbName())) {
			return Meta{}, false
		}
	}
	var known metaFile
	text, err := readObject(fsys, renditionFolder(record, file)+metaFileName)
	if err != nil || json.Unmarshal(text, &known) != nil {
		return Meta{}, false
	}
	return known.Meta, known.Version == renditionVersion
}

// FilesToRender returns the files of record that lack a rendition, or have them in another version. Files of a post
// that are known to be impossible to decode are not among them.
func FilesToRender(fsys *filesystem.System, record *core.Record) (missing []string) {
	var media []*Meta
	_ = record.UnmarshalJSONField("media", &media) // only a post has it
	for i, file := range record.GetStringSlice(PhotoFields[record.Collection().Name]) {
		if i < len(media) && media[i] == nil || IsOther(file) {
			continue
		}
		if _, all := storedMeta(fsys, record, file); !all {
			missing = append(missing, file)
		}
	}
	return missing
}

func readObject(fsys *filesystem.System, key string) ([]byte, error) {
	reader, err := fsys.GetReader(key)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

func writeObject(fsys *filesystem.System, key, kind string, content []byte) error {
	w, err := fsys.NewWriter(key, &blob.WriterOptions{ContentType: kind})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, bytes.NewReader(content))
	return errors.Join(err, w.Close())
}
