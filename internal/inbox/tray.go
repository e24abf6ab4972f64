package inbox

import (
	"fmt"
	"slices"
	"sync"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	maxSentRows    = 128  // new rows that a tray remembers as sent
	maxTrayCursors = 1000 // people whose cursor a superuser's tray remembers
)

// tray is how far a device was sent its person's notifications, or a superuser's device those of everybody. It
// remembers a limited number of new rows that were sent; beyond them, the oldest counts as known to the device.
type tray struct {
	person string // whose tray it is; empty for a superuser's

	mu          sync.Mutex       // guards all below: changes of several people may reach a superuser at once
	cursor      int64            // the seq up to which all was sent
	cursors     map[string]int64 // by person, in a superuser's tray
	knownBefore string           // rows created earlier are known to the device
	sentRows    []trayRow        // rows created later that were sent
}

type trayRow struct {
	ID      string `db:"id"`
	Created string `db:"created"`
}

// readTray returns the tray of a device that begins to listen. It reads in one statement, so that cursor and
// knownBefore are of the same moment. A writer takes the time inside its transaction, so what is committed later was
// not created earlier; and the newest rows are among those that changed last.
func readTray(app core.App, person string) (*tray, error) {
	var rows []struct {
		trayRow
		Seq int64 `db:"seq"`
	}
	err := app.ConcurrentDB().NewQuery(`SELECT s.seq, coalesce(n.id, '') id, coalesce(n.created, '') created
		FROM settings s LEFT JOIN notifications n ON n.recipient = s.user
		WHERE s.user = {:person} ORDER BY n.seq DESC LIMIT 64`).Bind(dbx.Params{"person": person}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read tray: %w", err)
	}
	t := &tray{person: person}
	for _, r := range rows {
		t.cursor, t.knownBefore = r.Seq, max(t.knownBefore, r.Created)
	}
	for _, r := range rows {
		if r.ID != "" { // empty when the tray has no rows
			t.noteSentRow(r.trayRow)
		}
	}
	return t, nil
}

// actionFor returns the action under which a change of the row is sent: "create" when the row is new to the device,
// else "update".
func (t *tray) actionFor(r trayRow) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isNewRow(r) {
		return "create"
	}
	return "update"
}

// isNewRow reports whether the row was neither known to the device nor sent to it. It needs mu.
func (t *tray) isNewRow(r trayRow) bool {
	return r.Created >= t.knownBefore && !slices.Contains(t.sentRows, r)
}

// noteSentRow notes that the device has the row.
func (t *tray) noteSentRow(r trayRow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isNewRow(r) {
		return
	}
	t.sentRows = append(t.sentRows, r)
	if len(t.sentRows) > maxSentRows {
		t.knownBefore = max(t.knownBefore, t.sentRows[0].Created+"~") // after all rows of that moment
		t.sentRows = t.sentRows[1:]
	}
}

// isBehind reports whether the seq is beyond the cursor of the tray's person.
func (t *tray) isBehind(seq int64) bool {
	cursor, _ := t.cursorOf(t.person)
	return cursor < seq
}

func (t *tray) cursorOf(person string) (cursor int64, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if person == t.person {
		return t.cursor, true
	}
	cursor, known = t.cursors[person]
	return cursor, known
}

func (t *tray) advanceCursor(person string, cursor int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if person == t.person {
		t.cursor = max(t.cursor, cursor)
		return
	}
	if len(t.cursors) > maxTrayCursors {
		clear(t.cursors)
	}
	t.cursors[person] = max(t.cursors[person], cursor)
}

func trayRowOf(r *core.Record) trayRow { return trayRow{r.Id, r.GetString("created")} }
