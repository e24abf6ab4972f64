package inbox

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/doubletap/doubletap/internal/db"
)

// sendChanges sends a view group a page of notifications and retractions; each device gets what is new to it.
func (in *Inbox) sendChanges(g *viewGroup, changes []change, at map[*subscription]int64, delivery DeviceDelivery) {
	var rows []*core.Record
	for _, c := range changes {
		if c.row != nil && g.concerns(notifications, c.id) {
			rows = append(rows, c.row)
		}
	}
	shown := in.enrichRows(in.realtimeRequest(g.auth, g.options), rows)
	for _, c := range changes {
		if !g.concerns(notifications, c.id) {
			continue
		}
		delivery.Seq = c.seq
		encoded := map[string][]byte{} // by action, since one device may have the row already and another not
		for _, s := range g.subscribers {
			if cursor, here := at[s]; !here || c.seq <= cursor { // a subscription made meanwhile catches up by itself
				continue
			}
			action := "delete"
			if c.row != nil {
				action = s.tray.actionFor(trayRowOf(c.row))
			}
			if encoded[action] == nil {
				encoded[action] = in.encodeMessage(action, g, shown[c.id], notifications, c.id)
			}
			s.enqueueMessage(g, encoded[action], delivery)
		}
	}
}

// deliverRow sends the person's row of a collection that has one row for each user. It does nothing when there is
// none.
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
	for _, g := range all {
		if g.concerns(collection, row.Id) {
			shown := in.enrichRows(in.realtimeRequest(g.auth, g.options), []*core.Record{row})
			g.sendToAll(in.encodeMessage("update", g, shown[row.Id], collection, row.Id))
		}
	}
	return nil
}

func (g *viewGroup) sendToAll(data []byte) {
	for _, s := range g.subscribers {
		s.sendData(g, data)
	}
}

func (s *subscription) sendData(g *viewGroup, data []byte) {
	s.enqueueMessage(g, data, DeviceDelivery{})
}

// enqueueMessage queues a message for the device, under the name to which it listens. It does nothing when data is
// nil: the row could not be shown.
func (s *subscription) enqueueMessage(g *viewGroup, data []byte, delivery DeviceDelivery) {
	if data != nil {
		s.device.enqueueMessage(queuedMessage{subscriptions.Message{Name: g.name, Data: data}, delivery})
	}
}
