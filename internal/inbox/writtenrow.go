package inbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/guard"
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

// RecordWritten says that a record was created, updated or deleted and that this is committed. Those who listen to it
// and may see it are sent it after the writer has its answer, in the order of the calls, in PocketBase's shape. The
// writer waits for a lookup in a map only, however many are connected. Devices that are signed in with an account get
// its new state. For owners' collections nothing is sent.
func (in *Inbox) RecordWritten(action string, record *core.Record) {
	c := record.Collection()
	if c.IsAuth() && action != "create" {
		in.accountWritten(action, record)
	}
	if isOurCollection(c) && !slices.Contains(personalCollections, c.Name) && in.isListenedTo(c.Name, record.Id) {
		in.enqueueWritten(&writtenRow{action, record.Fresh()}) // a copy: the request enriches the record for its writer next
	}
}

// RecordWrittenBySQL does what RecordWritten does for a row that was written without PocketBase's hooks. Call it
// inside the transaction. It calls record after the commit, when somebody listens.
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

// listener is a topic of a device that is about a row, with the account that is signed in on the device now.
type listener struct {
	*subscription
	topic topic
	auth  *core.Record // nil for guests
}

// isSuperuser reports whether a superuser is signed in now; subscription.superuser says who it was at the subscribe
// call.
func (l listener) isSuperuser() bool { return l.auth != nil && l.auth.IsSuperuser() }

// listenersOf returns who listens to the row and, if all is set, who listens to all rows of its collection.
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

// subscriptionsOf returns a copy of the set, since in.mu guards it. It needs mu.
func (in *Inbox) subscriptionsOf(a rowKey) map[*subscription]bool {
	found := make(map[*subscription]bool, len(in.rowSubscribers[a]))
	for s := range in.rowSubscribers[a] {
		found[s] = true
	}
	return found
}

// deliverWritten sends a row that was written. The rule is checked for the row as it is now and, if it has changed
// since or is gone, for the row as it was written: nobody is sent what they could not see then, or cannot see now.
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
			return nil // a hook prevented the delete, and reported what it did instead
		}
		now = nil // otherwise it is another row with the same natural id
	}
	seeing := listeners
	if now != nil {
		for _, name := range c.Fields.FieldNames() {
			if !guard.ServerMaySet(c.Name, name) {
				w.record.SetRaw(name, now.GetRaw(name)) // so that no count is older than one that was sent before
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

// The length of broadcastQueue. Beyond crowdedBacklog, some devices ask for more than there is time for, and those
// that cost most are disconnected. From fullBacklog on, written rows are not queued for anybody.
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

// disconnectListeners disconnects those who would miss what was written: a device that connects again fetches it.
func (in *Inbox) disconnectListeners(w *writtenRow) {
	for _, l := range in.listenersOf(w.record.Collection().Name, w.record.Id, true) {
		in.removeDevice(l.device)
	}
}

// relieveBacklog disconnects the devices for which most work was done since the backlog began, when the backlog is too
// long; and again only if it goes on growing without them.
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
	for d, work := range in.workByDevice {
		if work >= most/2 {
			in.removeDevice(d)
		}
	}
	clear(in.workByDevice)
	in.maxBacklog = waiting + crowdedBacklog/4
}

// chargeListeners shares the cost of one piece of work among the devices that it was done for.
func (in *Inbox) chargeListeners(listeners []listener) {
	for _, l := range listeners {
		in.workByDevice[l.device] += 1 / float64(len(listeners))
	}
}

// recordAsTable returns the record as a table of a query, under the name of another collection: the stored row may be
// different or gone by now, and the query may use the real table, too. PocketBase checks a create rule in the same
// way.
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
