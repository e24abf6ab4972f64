package reconcile

import (
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/account"
	"doubletap/internal/db"
)

// Settings also give each notification its place in the order of changes, so seq must not lie behind what was given.
const (
	unsettled = `users t WHERE NOT EXISTS (SELECT 1 FROM settings WHERE user = t.id)`
	given     = `max(coalesce((SELECT max(seq) FROM notifications WHERE recipient = t.user), 0), coalesce((SELECT max(seq) FROM retractions WHERE recipient = t.user), 0))`
)

func lookSettings(app core.App, f *Found) error {
	n, first, err := f.Some(app, unsettled)
	if err != nil {
		return err
	}
	f.Fail(n, "%d users without settings, as %s", n, first)
	n, first, err = f.Some(app, `settings t WHERE t.seq < `+given)
	f.Fail(n, "%d settings behind their notifications, as %s", n, first)
	return err
}

func repairSettings(tx core.App) (int64, error) {
	var users []string
	if err := db.Column(tx, &users, `SELECT t.id FROM `+unsettled, nil); err != nil {
		return 0, err
	}
	for _, user := range users {
		if err := account.MakeSettings(tx, user, ""); err != nil {
			return 0, err
		}
	}
	// new ones begin where the old ones ended
	n, err := db.Exec(tx, `UPDATE settings AS t SET seq = `+given+` WHERE t.seq < `+given, nil)
	return int64(len(users)) + n, err
}
