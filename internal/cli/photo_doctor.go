package cli

import (
	"context"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/rendition"
)

// SQL about photos. In media, null stands for a photo that cannot be decoded, which counts as described. A record that
// waits for a job is not wrong.
const (
	mediaJSON        = `iif(json_valid(t.media), t.media, '[]')`
	isRenderingSQL   = `t.id IN (SELECT payload ->> 'Record' FROM jobs WHERE kind = '` + rendition.JobKind + `' AND state != 'dead')`
	isUndescribedSQL = `iif(json_valid(t.photos), json_array_length(t.photos), 0) != (SELECT count(*) FROM json_each(` + mediaJSON + `)
		WHERE type = 'null' OR (value ->> 'w' > 0 AND value ->> 'h' > 0 AND value ->> 'hash' != ''))`
)

// photoInvariants compare the photos with what is stored about them and, in the folder, with their renditions. A
// missing rendition is made when somebody asks for it, which is slow once; missing sizes and blurhashes are missing on
// every screen.
func photoInvariants() []*reconcile.Invariant {
	return []*reconcile.Invariant{
		{
			Check: "photos", Name: "described", Holds: "Size and blurhash of a photo are known.", Cost: reconcile.DoctorOnly, Table: "posts",
			Broken: isUndescribedSQL + ` AND NOT ` + isRenderingSQL, Proved: true,
			Mend: func(tx core.App, ids []string) error {
				for _, id := range ids {
					var author string
					_, err := db.QueryValue(tx, &author, `SELECT author FROM posts WHERE id = {:id}`, db.Params{"id": id})
					if err == nil {
						err = addRenderJob(tx, unrenderedRecord{rendition.Payload{Collection: "posts", Record: id}, author})
					}
					if err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			Check: "photos", Name: "decoded", Holds: "A photo can be decoded.", Cost: reconcile.DoctorOnly, Table: "posts", Warns: true,
			Broken: `t.media LIKE '%null%' AND EXISTS (SELECT 1 FROM json_each(` + mediaJSON + `) WHERE type = 'null')`, Proved: true, WhyNotRepaired: "it is as it came, and shown to nobody: its author posts it anew",
		},
		{
			Check: "photos", Name: "renditions", Holds: "The renditions of a photo are made.", Cost: reconcile.DoctorOnly, Warns: true,
			Inspect: checkRenditions, MendAll: mendRenditions,
		},
	}
}

// addRenderJob stores a job for the photos of a record.
func addRenderJob(tx core.App, l unrenderedRecord) error {
	return job.Enqueue(tx, rendition.JobKind, l.Payload, job.Dedupe("repair/"+l.Record), job.ForUser(l.owner))
}

// unrenderedRecord is a record whose photos lack renditions or a description, with the person to whom the work is
// counted.
type unrenderedRecord struct {
	rendition.Payload
	owner string
}

func checkRenditions(app core.App, f *reconcile.Problems) error {
	all, err := unrenderedRecords(app)
	if err == nil && len(all) > 0 {
		f.AddWarning(len(all), "%d posts, stories and avatars without all renditions, as %s %s", len(all), all[0].Collection, all[0].Record)
	}
	return err
}

// mendRenditions stores a job for each record whose photos lack renditions.
func mendRenditions(ctx context.Context, app core.App) (int64, error) {
	all, err := unrenderedRecords(app)
	if err != nil {
		return 0, err
	}
	n, err := db.RunInSteps(ctx, app, all, func(tx core.App, some []unrenderedRecord) error {
		for _, l := range some {
			if err := addRenderJob(tx, l); err != nil {
				return err
			}
		}
		return nil
	})
	return int64(n), err
}

// maxCheckedPhotos is how many records of a collection are checked for their renditions, the newest ones. Missing
// renditions of older ones are made when somebody asks for them, and photos rebuild checks all records.
const maxCheckedPhotos = 500

func unrenderedRecords(app core.App) (all []unrenderedRecord, err error) {
	if app.Settings().S3.Enabled {
		return nil, nil // a bucket is slow to check, one photo after the other
	}
	fsys, err := app.NewFilesystem()
	if err != nil {
		return nil, fmt.Errorf("open the storage: %w", err)
	}
	defer fsys.Close()
	for _, from := range []struct{ collection, person, condition string }{{"posts", "author", "NOT " + isUndescribedSQL}, {"stories", "author", "1"}, {"users", "id", "avatar != ''"}} {
		var ids []string
		err := db.QueryColumn(app, &ids, `SELECT id FROM (SELECT * FROM `+from.collection+` ORDER BY rowid DESC LIMIT {:n}) t WHERE `+from.condition+` AND NOT `+isRenderingSQL, db.Params{"n": maxCheckedPhotos})
		if err != nil {
			return nil, fmt.Errorf("list the photos of %s: %w", from.collection, err)
		}
		for _, id := range ids {
			record, err := db.FindRecord(app, from.collection, id)
			if err != nil {
				return nil, err
			}
			if record != nil && len(rendition.FilesToRender(fsys, record)) > 0 { // else it is gone meanwhile, or whole
				all = append(all, unrenderedRecord{rendition.Payload{Collection: from.collection, Record: id}, record.GetString(from.person)})
			}
		}
	}
	return all, nil
}
