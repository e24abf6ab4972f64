package inbox

import (
	"cmp"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/db"
)

const pageSize = 100 // rows that are read, enriched and sent together

// change is a notification as it is now, or its retraction.
type change struct {
	seq int64
	id  string
	row *core.Record // nil when retracted
}

// trayChangesSQL reads in one statement a person's last seq, whether something left the tray, and what changed in it.
const trayChangesSQL = `SELECT s.seq "@top", EXISTS (SELECT 1 FROM retractions r WHERE r.recipient = {:person} AND r.seq > {:from}) "@left", n.*
	FROM settings s LEFT JOIN notifications n ON n.recipient = {:person} AND n.seq > {:from} AND n.seq <= s.seq
	WHERE s.user = {:person} ORDER BY n.seq LIMIT {:page}`

// readChanges returns the next page of what changed after the seq from, in the order of seq. last is the seq that the
// page reaches, top the person's last seq. Without a row in settings, it returns nothing.
func (in *Inbox) readChanges(person string, from int64) (changes []change, last, top int64, err error) {
	params := dbx.Params{"person": person, "from": from, "page": pageSize}
	var rows []dbx.NullStringMap
	if err := db.FreshReader(in.app).NewQuery(trayChangesSQL).Bind(params).All(&rows); err != nil || len(rows) == 0 {
		return nil, 0, 0, err
	}
	top, left := cast.ToInt64(rows[0]["@top"].String), rows[0]["@left"].String == "1"
	c, err := in.app.FindCachedCollectionByNameOrId(notifications)
	if err != nil {
		return nil, 0, 0, err
	}
	for _, row := range rows {
		if row["id"].Valid {
			r, err := recordFromRow(c, row)
			if err != nil {
				return nil, 0, 0, err
			}
			changes = append(changes, change{int64(r.GetInt("seq")), r.Id, r})
		}
	}
	var gone []struct {
		ID  string `db:"notification"`
		Seq int64  `db:"seq"`
	}
	if left {
		params["top"] = top
		err = db.FreshReader(in.app).NewQuery(`SELECT notification, seq FROM retractions
			WHERE recipient = {:person} AND seq > {:from} AND seq <= {:top} ORDER BY seq LIMIT {:page}`).Bind(params).All(&gone)
		if err != nil {
			return nil, 0, 0, err
		}
	}
	for _, g := range gone {
		changes = append(changes, change{g.Seq, g.ID, nil})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.seq, b.seq) })
	last = top
	if len(rows) == pageSize || len(gone) == pageSize {
		changes = changes[:pageSize] // beyond pageSize, the list that was cut may lack some
		last = changes[pageSize-1].seq
	}
	return slices.DeleteFunc(changes, change.isSilent), last, top, nil
}

// recordFromRow returns the record of a row that a statement of ours has read.
func recordFromRow(c *core.Collection, row dbx.NullStringMap) (*core.Record, error) {
	r := core.NewRecord(c)
	for _, field := range c.Fields {
		value, err := field.PrepareValue(r, row[field.GetName()].String)
		if err != nil {
			return nil, err
		}
		r.SetRaw(field.GetName(), value)
	}
	r.MarkAsNotNew()
	return r, nil
}

// isSilent reports whether the change is one that its person does not want to hear of at once.
func (c change) isSilent() bool { return c.row != nil && int64(c.row.GetInt("silent")) == c.seq }
