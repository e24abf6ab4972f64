package inbox

import (
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"doubletap/internal/db"
)

// sendChanges sends an audience a page of notifications and retractions, to each device what is new to it.
func (in *Inbox) sendChanges(a *audience, changes []change, at map[*seat]int64, of Delivery) {
	var rows []*core.Record
	for _, c := range changes {
		if c.row != nil && a.is(notifications, c.id) {
			rows = append(rows, c.row)
		}
	}
	shown := in.show(in.request(a.auth, a.options), rows)
	for _, c := range changes {
		if !a.is(notifications, c.id) {
			continue
		}
		of.Seq = c.seq
		encoded := map[string][]byte{} // by action: one device may have the row already, another not
		for _, s := range a.seats {
			if cursor, here := at[s]; !here || c.seq <= cursor { // who sat down meanwhile looks for itself
				continue
			}
			action := "delete"
			if c.row != nil {
				action = s.tray.action(rowOf(c.row))
			}
			if encoded[action] == nil {
				encoded[action] = in.encode(action, a, shown[c.id], notifications, c.id)
			}
			s.post(a, encoded[action], of)
		}
	}
}

// serveRow sends the person's row of a collection that has one for each user.
func (in *Inbox) serveRow(person, collection string) error {
	all := in.personal(person, collection)
	if len(all) == 0 {
		return nil
	}
	row := &core.Record{}
	found, err := db.Found(in.app.RecordQuery(collection).AndWhere(dbx.HashExp{"user": person}).Limit(1).One(row))
	if err != nil || !found {
		return err
	}
	for _, a := range all {
		if a.is(collection, row.Id) {
			shown := in.show(in.request(a.auth, a.options), []*core.Record{row})
			a.send(in.encode("update", a, shown[row.Id], collection, row.Id))
		}
	}
	return nil
}

// serveFeed sends rows of the person's feed. What the database says now decides, since two
// transactions may be told of in either order: a row that is in sight is sent if one
// of the changes added it, a row that is not is taken away if one of them removed it.
func (in *Inbox) serveFeed(person string, changes []feedChange) error {
	added, gone := map[string]bool{}, map[string]bool{}
	var ids []string
	for _, c := range changes {
		if !added[c.id] && !gone[c.id] {
			ids = append(ids, c.id)
		}
		if c.added {
			added[c.id] = true
		} else {
			gone[c.id] = true
		}
	}
	for ids := range slices.Chunk(ids, page) {
		for _, a := range in.personal(person, feed) {
			wanted := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !a.is(feed, id) })
			e := in.request(a.auth, a.options)
			visible, err := in.visible(e, feed, wanted)
			if err != nil {
				return err
			}
			var rows []*core.Record
			for id, row := range visible {
				if added[id] {
					rows = append(rows, row)
				}
			}
			shown := in.show(e, rows)
			for _, id := range wanted {
				switch {
				case visible[id] != nil && added[id]:
					a.send(in.encode("create", a, shown[id], feed, id))
				case visible[id] == nil && gone[id]:
					a.send(in.encode("delete", a, nil, feed, id))
				}
			}
		}
	}
	return nil
}

func (a *audience) send(data []byte) {
	for _, s := range a.seats {
		s.send(a, data)
	}
}

func (s *seat) send(a *audience, data []byte) { s.post(a, data, Delivery{}) }

// post queues a message for the device, under the name to which it listens. There is none
// for what could not be shown.
func (s *seat) post(a *audience, data []byte, of Delivery) {
	if data != nil {
		s.device.post(letter{subscriptions.Message{Name: a.name, Data: data}, of})
	}
}
