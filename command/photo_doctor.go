package command

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/job"
	"doubletap/internal/reconcile"
	"doubletap/internal/rendition"
)

// lacking is a record whose photos lack what is to be known of them, or else renditions.
type lacking struct {
	rendition.Payload
	person string
	media  bool
}

// lookPhotos compares the photos with what is known of them and, in the folder, with their renditions. A rendition
// that is missing is made when somebody asks for it, and slow once; what is not known is missing on every screen.
func lookPhotos(app core.App, f *reconcile.Found) error {
	all, err := lackingPhotos(app)
	if err != nil {
		return err
	}
	media, renditions, first := 0, 0, map[bool]string{}
	for _, l := range all {
		if l.media {
			media++
		} else {
			renditions++
		}
		if first[l.media] == "" {
			first[l.media] = l.Collection + " " + l.Record
		}
	}
	f.Fail(media, "%d posts without size and blurhash of a photo, as %s", media, first[true])
	f.Warn(renditions, "%d posts, stories and avatars without all renditions, as %s", renditions, first[false])
	n, post, err := f.Some(app, `posts t WHERE EXISTS (SELECT 1 FROM json_each(`+mediaOf+`) WHERE type = 'null')`)
	f.Warn(n, "%d posts with a photo that cannot be decoded, as %s", n, post)
	return err
}

// repairPhotos leaves a job for each record whose photos lack something.
func repairPhotos(tx core.App) (int64, error) {
	all, err := lackingPhotos(tx)
	if err != nil {
		return 0, err
	}
	for _, l := range all {
		if err := job.Add(tx, rendition.Job, l.Payload, job.Dedupe("repair/"+l.Record), job.ForUser(l.person)); err != nil {
			return 0, err
		}
	}
	return int64(len(all)), nil
}

// A photo that cannot be decoded is null in media. Other records wait for a job, which is no reason to worry.
const (
	mediaOf     = `iif(json_valid(t.media), t.media, '[]')`
	rendering   = `t.id IN (SELECT payload ->> 'Record' FROM jobs WHERE kind = '` + rendition.Job + `' AND state != 'dead')`
	undescribed = `json_array_length(t.photos) != (SELECT count(*) FROM json_each(` + mediaOf + `) WHERE type = 'null' OR (value ->> 'w' > 0 AND value ->> 'h' > 0 AND value ->> 'hash' != ''))`
)

func lackingPhotos(app core.App) ([]lacking, error) {
	var rows []struct {
		Collection string `db:"collection"`
		ID         string `db:"id"`
		Person     string `db:"person"`
		Unknown    bool   `db:"unknown"`
	}
	err := db.All(app, &rows, `SELECT 'posts' collection, id, author person, `+undescribed+` unknown FROM posts t WHERE NOT `+rendering+
		` UNION ALL SELECT 'stories', id, author, 0 FROM stories t WHERE NOT `+rendering+
		` UNION ALL SELECT 'users', id, id, 0 FROM users t WHERE avatar != '' AND NOT `+rendering, nil)
	if err != nil {
		return nil, fmt.Errorf("list photos: %w", err)
	}
	fsys, err := app.NewFilesystem()
	if err != nil {
		return nil, fmt.Errorf("open the storage: %w", err)
	}
	defer fsys.Close()
	var all []lacking
	for _, row := range rows {
		l := lacking{rendition.Payload{Collection: row.Collection, Record: row.ID}, row.Person, row.Unknown}
		if !l.media {
			if app.Settings().S3.Enabled {
				continue // a bucket is slow to look through, one photo after the other
			}
			record, err := app.FindRecordById(row.Collection, row.ID)
			if err != nil || len(rendition.Missing(fsys, record)) == 0 {
				continue // gone meanwhile, or whole
			}
		}
		all = append(all, l)
	}
	return all, nil
}
