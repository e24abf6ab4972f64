// Package account is about people's accounts: their handles, addresses and settings, and whether they may sign in.
package account

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// The states of an account.
const (
	Active    = "active"
	Suspended = "suspended"
	Deleting  = "deleting"
)

// MakeSettings stores a settings row for the user unless there is one; locale is their language or empty. The row's seq
// continues where that of a lost row was.
func MakeSettings(tx core.App, user, locale string) error {
	_, err := db.Exec(tx, `INSERT INTO settings (id, user, digest, notify, locale, seq, created, updated)
		SELECT {:u}, {:u}, 'off', '{}', {:locale}, max(coalesce((SELECT max(seq) FROM notifications WHERE recipient = {:u}), 0),
			coalesce((SELECT max(seq) FROM retractions WHERE recipient = {:u}), 0)), {:now}, {:now}
		WHERE EXISTS (SELECT 1 FROM users WHERE id = {:u}) ON CONFLICT DO NOTHING`,
		db.Params{"u": user, "locale": locale, "now": clock.Timestamp(tx)})
	if err != nil {
		return fmt.Errorf("make settings of %s: %w", user, err)
	}
	return nil
}

// ClampSeenAt returns the time up to which the tray counts as seen, when a client asks for asked and it was former:
// never earlier than before, and never in the future unless former is.
func ClampSeenAt(former, asked, now time.Time) time.Time {
	if asked.After(now) {
		asked = now
	}
	if asked.Before(former) {
		return former
	}
	return asked
}
