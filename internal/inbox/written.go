package inbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/guard"
)

// writtenRow is a row of ours that was created, updated or deleted, as it was then.
type writtenRow struct {
	action string // create, update or delete
	record *core.Record
}

// String names the row for the log.
func (w *writtenRow) String() string {
	if w == nil {
		return ""
	}
	return w.record.Collection().Name + "/" + w.record.Id
}

// RecordWritten says that a record was created, updated or deleted and that this is committed. Of accounts it keeps those who
// are signed in fresh; of owners' collections it tells nobody. Whoever listens to it and may see it is told, after the writer's answer and in the
// order of the calls, in PocketBase's words. The writer waits for a look into a map, whoever is connected.
func (in *Inbox) RecordWritten(action string, record *core.Record) {
	c := record.Collection()
	if c.IsAuth() && action != "create" {
		in.accountWritten(action, record)
	}
	if isOurCollection(c) && !slices.Contains(personalCollections, c.Name) && in.isListenedTo(c.Name, record.Id) {
		in.enqueueWritten(&writtenRow{action, record.Fresh()}) // a copy: the request shows the record to its writer next
	}
}

// RecordWrittenBySQL is Written for a row past PocketBase's hooks. Call it inside the transaction; record is called after the
// commit, when somebody listens.
func RecordWrittenBySQL(tx core.App, action, collection, id string, record func() *core.Record) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() {
			if in.isListenedTo(collection, id) {
				in.enqueueWritten(&writtenRow{action, record()})
			}
		})
	}
}

func (in *Inbox) isListenedTo(collection, row string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.rowSubscribers[rowKey{collection, everyRow}])+len(in.rowSubscribers[rowKey{collection, row}]) > 0
}

// listener is a topic of a device that is about a row, and as whom the device is signed in now.
type listener struct {
	*subscription
	topic topic
	auth  *core.Record // nil for guests
}

// isSuperuser reports whether a superuser is signed in now: the seat tells who was when the device subscribed.
func (l listener) isSuperuser() bool { return l.auth != nil && l.auth.IsSuperuser() }

// listenersOf returns who listens to a row, by itself or, if all is set, with all rows of its collection.
func (in *Inbox) listenersOf(collection, row string, all bool) []listener {
	in.mu.Lock()
	defer in.mu.Unlock()
	found := map[*subscription]bool{}
	maps.Copy(found, in.subscriptionsOf(rowKey{collection, row}))
	if all {
		maps.Copy(found, in.subscriptionsOf(rowKey{collection, everyRow}))
	}
	var listeners []listener
	for s := range found {
		auth := s.device.signedInAs()
		for _, t := range s.topics {
			if t.collection == collection && (t.row == row || all && t.row == everyRow) {
				listeners = append(listeners, listener{s, t, auth})
			}
		}
	}
	return listeners
}

// subscriptionsOf needs mu.
func (in *Inbox) subscriptionsOf(a rowKey) map[*subscription]bool {
	found := make(map[*subscription]bool, len(in.rowSubscribers[a]))
	for s := range in.rowSubscribers[a] {
		found[s] = true
	}
	return found
}

// deliverWritten tells of a row that was written. The rule is asked of the row as it was written, if it has changed since
// or is gone, and of the row as it is: nobody is told what they could not see then, or can no longer.
func (in *Inbox) deliverWritten(w *writtenRow) error {
	c := w.record.Collection()
	listeners := in.listenersOf(c.Name, w.record.Id, true)
	if len(listeners) == 0 {
		return nil
	}
	now, err := db.FindRecord(in.app, c.Name, w.record.Id)
	if err != nil {
		return err
	}
	if w.action == "delete" {
		if now != nil && now.GetString("created") == w.record.GetString("created") {
			return nil // somebody's hook kept it, and told of what became of it
		}
		now = nil // else it is another row of the same natural key
	}
	seeing := listeners
	if now != nil {
		for _, name := range c.Fields.FieldNames() {
			if !guard.ServerMaySet(c.Name, name) {
				w.record.SetRaw(name, now.GetRaw(name)) // a count is never older than one that was told before
			}
		}
		if seeing, err = in.filterVisible(now, seeing); err != nil {
			return err
		}
	}
	if now == nil || !isSameRow(now, w.record) {
		if seeing, err = in.filterVisible(w.record, seeing); err != nil {
			return err
		}
	}
	if c.Name == posts {
		sees := map[*subscription]bool{}
		for _, l := range seeing {
			sees[l.subscription] = w.action != "delete"
		}
		in.noteSight(w.record.Id, now, listeners, sees)
	}
	return in.sendRow(w.action, w.record, seeing)
}

// isSameRow reports whether two versions of a row are stored alike.
func isSameRow(a, b *core.Record) bool {
	return maps.EqualFunc(a.FieldsData(), b.FieldsData(), func(x, y any) bool { return fmt.Sprint(x) == fmt.Sprint(y) })
}

// A backlog beyond crowded means that some ask for more than there is time for; beyond overfull, what is written is no
// longer kept for anybody.
const (
	crowdedBacklog = 500
	fullBacklog    = 2000
)

func (in *Inbox) enqueueWritten(w *writtenRow) {
	if in.broadcastQueue.waitingCount() < fullBacklog {
		in.broadcastQueue.enqueue(workKey{row: w}, update{})
		return
	}
	in.disconnectListeners(w)
}

// disconnectListeners disconnects those who would miss what was written: who connects again fetches it.
func (in *Inbox) disconnectListeners(w *writtenRow) {
	for _, l := range in.listenersOf(w.record.Collection().Name, w.record.Id, true) {
		in.removeDevice(l.device)
	}
}

// relieveBacklog disconnects those for whom most work was done since the backlog began to grow, when it is too long, and
// again only if it grows on without them.
func (in *Inbox) relieveBacklog() {
	waiting := in.broadcastQueue.waitingCount()
	if waiting == 0 {
		clear(in.workByDevice)
		in.maxBacklog = crowdedBacklog
		return
	}
	if waiting < in.maxBacklog || len(in.workByDevice) == 0 {
		return
	}
	most := slices.Max(slices.Collect(maps.Values(in.workByDevice)))
	for d, spent := range in.workByDevice {
		if spent >= most/2 {
			in.removeDevice(d)
		}
	}
	clear(in.workByDevice)
	in.maxBacklog = waiting + crowdedBacklog/4
}

// chargeListeners notes that work was done once for all of these.
func (in *Inbox) chargeListeners(listeners []listener) {
	for _, l := range listeners {
		in.workByDevice[l.device] += 1 / float64(len(listeners))
	}
}

// recordAsTable returns the record as a table of a query, under the name of another collection: the row may be another by
// now, or none, and the real table may be asked in the same query. So does PocketBase ask a create rule.
func recordAsTable(app core.App, record *core.Record) (c *core.Collection, with string, params dbx.Params, err error) {
	export, err := record.DBExport(app)
	if err != nil {
		return nil, "", nil, err
	}
	other := *record.Collection()
	other.Id, other.Name = other.Id+"__written", other.Name+"__written"
	params = dbx.Params{}
	var columns []string
	for i, name := range slices.Sorted(maps.Keys(export)) {
		param := fmt.Sprint("written", i)
		params[param] = export[name]
		columns = append(columns, "{:"+param+"} AS [["+name+"]]")
	}
	return &other, "{{" + other.Name + "}} AS (SELECT " + strings.Join(columns, ", ") + ")", params, nil
}
