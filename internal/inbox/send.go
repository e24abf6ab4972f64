package inbox

import (
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"doubletap/internal/db"
)

// sendChanges sends an audience a page of notifications and retractions, to each device what is new to it.
func (in *Inbox) sendChanges(a *viewGroup, changes []change, at map[*subscription]int64, of DeviceDelivery) {
	var rows []*core.Record
	for _, c := range changes {
		if c.row != nil && a.concerns(notifications, c.id) {
			rows = append(rows, c.row)
		}
	}
	shown := in.enrichRows(in.realtimeRequest(a.auth, a.options), rows)
	for _, c := range changes {
		if !a.concerns(notifications, c.id) {
			continue
		}
		of.Seq = c.seq
		encoded := map[string][]byte{} // by action: one device may have the row already, another not
		for _, s := range a.subscribers {
			if cursor, here := at[s]; !here || c.seq <= cursor { // who sat down meanwhile looks for itself
				continue
			}
			action := "delete"
			if c.row != nil {
				action = s.tray.actionFor(trayRowOf(c.row))
			}
			if encoded[action] == nil {
				encoded[action] = in.encodeMessage(action, a, shown[c.id], notifications, c.id)
			}
			s.enqueueMessage(a, encoded[action], of)
		}
	}
}

// deliverRow sends the person's row of a collection that has one for each user.
func (in *Inbox) deliverRow(person, collection string) error {
	all := in.viewGroupsOf(person, collection)
	if len(all) == 0 {
		return nil
	}
	row := &core.Record{}
	found, err := db.Found(in.app.RecordQuery(collection).AndWhere(dbx.HashExp{"user": person}).Limit(1).One(row))
	if err != nil || !found {
		return err
	}
	for _, a := range all {
		if a.concerns(collection, row.Id) {
			shown := in.enrichRows(in.realtimeRequest(a.auth, a.options), []*core.Record{row})
			a.sendToAll(in.encodeMessage("update", a, shown[row.Id], collection, row.Id))
		}
	}
	return nil
}

// deliverFeed sends rows of the person's feed. What the database says now decides, since two
// transactions may be told of in either order: a row that is in sight is sent if one
// of the changes added it, a row that is not is taken away if one of them removed it.
func (in *Inbox) deliverFeed(person string, changes []feedChange) error {
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
	for ids := range slices.Chunk(ids, pageSize) {
		for _, a := range in.viewGroupsOf(person, feed) {
			wanted := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !a.concerns(feed, id) })
			e := in.realtimeRequest(a.auth, a.options)
			visible, err := in.findVisibleRows(e, feed, wanted)
			if err != nil {
				return err
			}
			var rows []*core.Record
			for id, row := range visible {
				if added[id] {
					rows = append(rows, row)
				}
			}
			shown := in.enrichRows(e, rows)
			for _, id := range wanted {
				switch {
				case visible[id] != nil && added[id]:
					a.sendToAll(in.encodeMessage("create", a, shown[id], feed, id))
				case visible[id] == nil && gone[id]:
					a.sendToAll(in.encodeMessage("delete", a, nil, feed, id))
				}
			}
		}
	}
	return nil
}

func (a *viewGroup) sendToAll(data []byte) {
	for _, s := range a.subscribers {
		s.sendData(a, data)
	}
}

func (s *subscription) sendData(a *viewGroup, data []byte) {
	s.enqueueMessage(a, data, DeviceDelivery{})
}

// enqueueMessage queues a message for the device, under the name to which it listens. There is none
// for what could not be shown.
func (s *subscription) enqueueMessage(a *viewGroup, data []byte, of DeviceDelivery) {
	if data != nil {
		s.device.enqueueMessage(queuedMessage{subscriptions.Message{Name: a.name, Data: data}, of})
	}
}
