package notification

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/sweep"
)

// refreshGroup stores the newest actors of a notification and gives it its next seq, or removes it when nobody is
// left. A trigger counts the actors.
func refreshGroup(tx core.App, recipient, id string) error {
	var actors []string
	err := db.QueryColumn(tx, &actors, `SELECT actor FROM notification_events
		WHERE notification = {:id} AND active = 1 ORDER BY created DESC, rowid DESC LIMIT {:n}`, db.Params{"id": id, "n": maxNamedActors})
	if err != nil {
		return fmt.Errorf("name actors of notification %s: %w", id, err)
	}
	if len(actors) == 0 {
		return retractNotification(tx, recipient, id)
	}
	seq, err := NextSeq(tx, recipient)
	if errors.Is(err, errNoRecipient) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `UPDATE notifications SET actors = {:actors}, seq = {:seq}, updated = {:now} WHERE id = {:id}`,
		db.Params{"actors": db.JSONList(actors), "seq": seq, "now": clock.Timestamp(tx), "id": id})
	if err != nil {
		return fmt.Errorf("update notification %s: %w", id, err)
	}
	inbox.NotificationsChanged(tx, recipient)
	return nil
}

// retractNotification takes a notification out of the tray and records its retraction. Its events remember it: whoever
// does the same again brings the same notification back, so that repeated toggling leaves one retraction and not
// hundreds.
func retractNotification(tx core.App, recipient, id string) error {
	if err := dropNotification(tx, recipient, id); err != nil {
		return err
	}
	return DetachWork.Begin(tx, sweep.Subject{"id": id, "former": id})
}

// dropNotification takes a notification out of the tray, but leaves its events as they are.
func dropNotification(tx core.App, recipient, id string) error {
	gone, err := sweep.DeleteRows(tx, "notifications", `id = {:id}`, db.Params{"id": id})
	if err != nil || len(gone) == 0 {
		return err
	}
	return RecordRetraction(tx, recipient, id)
}

// RecordRetraction records that a notification left the tray, for devices that were away. There is one row for each
// notification, with the seq of the last time.
func RecordRetraction(tx core.App, recipient, id string) error {
	seq, err := NextSeq(tx, recipient)
	if errors.Is(err, errNoRecipient) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `INSERT INTO retractions (id, recipient, notification, seq, created, updated)
		VALUES (`+db.NewIDSQL+`, {:r}, {:id}, {:seq}, {:now}, {:now})
		ON CONFLICT (recipient, notification) WHERE notification != '' DO UPDATE SET seq = excluded.seq, created = excluded.created, updated = excluded.updated`,
		db.Params{"r": recipient, "id": id, "seq": seq, "now": clock.Timestamp(tx)})
	if err != nil {
		return fmt.Errorf("retract notification %s: %w", id, err)
	}
	inbox.NotificationsChanged(tx, recipient)
	return nil
}

// errNoRecipient says that the recipient's account is gone and its rows are being removed.
var errNoRecipient = errors.New("no such user")

// NextSeq returns the recipient's next seq. It writes the row, so transactions that call it come one after the other.
func NextSeq(tx core.App, recipient string) (int64, error) {
	var seq int64
	for range 2 {
		found, err := db.QueryValue(tx, &seq, `UPDATE settings SET seq = seq + 1 WHERE user = {:u} RETURNING seq`, db.Params{"u": recipient})
		if err != nil {
			return 0, fmt.Errorf("next seq of %s: %w", recipient, err)
		}
		if found {
			return seq, nil
		}
		if err := account.MakeSettings(tx, recipient, ""); err != nil { // the user was written without our hooks, by SQL or an import
			return 0, err
		}
	}
	return 0, fmt.Errorf("next seq of %s: %w", recipient, errNoRecipient)
}
