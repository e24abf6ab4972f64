package inbox

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/routine"
)

const page = 100 // rows that are read, shown and sent together

// serve does an errand. When it fails, the person's devices are disconnected: a device that
// connects again asks for what it missed, one that waits would miss it for good.
func (in *Inbox) serve(e errand, n news) {
	err := routine.SafeWrap(func() error {
		switch {
		case e.person != "":
			return in.servePerson(e.person, n)
		case e.post != "":
			return in.servePost(e.post, n)
		default:
			return in.serveAuthor(e.author)
		}
	})()
	if err == nil {
		return
	}
	in.app.Logger().Error("could not deliver", "account", e.person, "post", e.post, "author", e.author, "err", err)
	if e.person != "" {
		in.Drop(e.person)
	}
}

func (in *Inbox) servePerson(person string, n news) error {
	if n.tray {
		if err := in.serveTray(person, n); err != nil {
			return fmt.Errorf("deliver notifications to %s: %w", person, err)
		}
	}
	for _, collection := range n.updated {
		if err := in.serveRow(person, collection); err != nil {
			return fmt.Errorf("deliver %s to %s: %w", collection, person, err)
		}
	}
	if len(n.feed) > mostRows {
		in.Drop(person)
		return nil
	}
	if err := in.serveFeed(person, n.feed); err != nil {
		return fmt.Errorf("deliver feed to %s: %w", person, err)
	}
	return nil
}

// change is a notification as it is now, or its retraction.
type change struct {
	seq int64
	id  string
	row *core.Record // nil when retracted
}

// serveTray sends each device what has come since it was last served. All up to the seq
// that is read first is committed, and what moves meanwhile has a later one: so nothing
// is skipped, and no seq is sent before a smaller one.
func (in *Inbox) serveTray(person string, n news) error {
	if len(in.personal(person, notifications)) == 0 {
		return nil
	}
	var top int64
	err := in.app.ConcurrentDB().Select("seq").From("settings").Where(dbx.HashExp{"user": person}).Row(&top)
	if err != nil {
		return ignoreMissing(err)
	}
	all := in.personal(person, notifications) // after top: what is committed later goes to who sits there then
	from := top
	at := map[*seat]int64{} // where each device is
	for _, a := range all {
		for _, s := range a.seats {
			cursor, known := s.tray.at(person)
			switch {
			case known:
				at[s] = cursor
			case n.overheard: // by a superuser, who had not heard of this person yet
				at[s] = n.from
			default:
				at[s] = top
			}
			from = min(from, at[s])
		}
	}
	for from < top {
		changes, last, err := in.changes(person, from, top)
		if err != nil {
			return err
		}
		for _, a := range all {
			in.sendChanges(a, changes, at, Delivery{Person: person, Committed: n.committed})
		}
		for s := range at {
			for _, c := range changes {
				if c.row != nil && c.seq > at[s] {
					s.tray.took(rowOf(c.row))
				}
			}
			s.tray.advance(person, last)
		}
		from = last
	}
	return nil
}

// changes returns the next page of what changed after from and up to top, by seq, and the seq that it reaches.
func (in *Inbox) changes(person string, from, top int64) ([]change, int64, error) {
	between := dbx.NewExp("recipient = {:person} AND seq > {:from} AND seq <= {:top}", dbx.Params{"person": person, "from": from, "top": top})
	var rows []*core.Record
	if err := in.app.RecordQuery(notifications).AndWhere(between).OrderBy("seq").Limit(page).All(&rows); err != nil {
		return nil, 0, err
	}
	var gone []struct {
		ID  string `db:"notification"`
		Seq int64  `db:"seq"`
	}
	err := in.app.ConcurrentDB().Select("notification", "seq").From("retractions").Where(between).OrderBy("seq").Limit(page).All(&gone)
	if err != nil {
		return nil, 0, err
	}
	var changes []change
	for _, row := range rows {
		changes = append(changes, change{int64(row.GetInt("seq")), row.Id, row})
	}
	for _, g := range gone {
		changes = append(changes, change{g.Seq, g.ID, nil})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.seq, b.seq) })
	last := top
	if len(rows) == page || len(gone) == page {
		changes = changes[:page] // beyond it, the list that was cut may lack some
		last = changes[page-1].seq
	}
	return slices.DeleteFunc(changes, change.silent), last, nil
}

// silent reports whether the change is one that its person does not want to hear of at once.
func (c change) silent() bool { return c.row != nil && int64(c.row.GetInt("silent")) == c.seq }

func ignoreMissing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}
