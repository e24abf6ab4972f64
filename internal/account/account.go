// Package account is who people are here: their handles, their settings, and whether they may come in.
package account

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/text/unicode/norm"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/fault"
)

// The states of an account.
const (
	Active    = "active"
	Suspended = "suspended"
	Deleting  = "deleting"
)

// MakeSettings gives the user a settings row unless there is one. Its seq goes on where a lost row's was.
func MakeSettings(tx core.App, user string) error {
	_, err := db.Exec(tx, `INSERT INTO settings (id, user, digest, notify, seq, created, updated)
		SELECT {:u}, {:u}, 'off', '{}', max(coalesce((SELECT max(seq) FROM notifications WHERE recipient = {:u}), 0),
			coalesce((SELECT max(seq) FROM retractions WHERE recipient = {:u}), 0)), {:now}, {:now}
		WHERE EXISTS (SELECT 1 FROM users WHERE id = {:u}) ON CONFLICT DO NOTHING`,
		db.Params{"u": user, "now": clock.Stamp(tx)})
	if err != nil {
		return fmt.Errorf("make settings of %s: %w", user, err)
	}
	return nil
}

// Reserved reports whether nobody may take the handle: it is the service's own, or was
// that of an account now gone.
func Reserved(tx core.App, handle string) (bool, error) {
	var one int
	return db.Value(tx, &one, `SELECT 1 FROM handles WHERE name = {:h} COLLATE NOCASE`, db.Params{"h": handle})
}

// Reserve keeps the handle from being taken again.
func Reserve(tx core.App, handle, reason string) error {
	if handle == "" {
		return nil
	}
	_, err := db.Exec(tx, `INSERT INTO handles (id, name, reason, created, updated)
		VALUES (`+db.NewID+`, {:h}, {:reason}, {:now}, {:now}) ON CONFLICT DO NOTHING`,
		db.Params{"h": handle, "reason": reason, "now": clock.Stamp(tx)})
	if err != nil {
		return fmt.Errorf("reserve handle %s: %w", handle, err)
	}
	return nil
}

// CheckHandle refuses a handle that is reserved. Its form and that it is free are PocketBase's to check.
func CheckHandle(tx core.App, handle string) error {
	reserved, err := Reserved(tx, handle)
	if err != nil {
		return fmt.Errorf("check handle %s: %w", handle, err)
	}
	if reserved {
		return fault.Invalid("handle", "validation_handle_reserved", "This handle cannot be taken.")
	}
	return nil
}

var notInHandle = regexp.MustCompile(`[^a-z0-9_]+`)

// withoutMarks drops accents, which NFKD has set apart.
func withoutMarks(r rune) rune {
	if unicode.Is(unicode.Mn, r) {
		return -1
	}
	return r
}

// FreeHandle returns a handle that nobody has, as close to the wish as it can be.
func FreeHandle(tx core.App, wish string) (string, error) {
	plain := strings.Map(withoutMarks, norm.NFKD.String(wish))
	base := strings.Trim(notInHandle.ReplaceAllString(strings.ToLower(plain), "_"), "_")
	base = base[:min(len(base), 20)]
	if len(base) < 3 {
		base = "user"
	}
	handle := base
	for range 20 {
		var one int
		taken, err := db.Value(tx, &one, `SELECT 1 FROM users WHERE handle = {:h} COLLATE NOCASE
			UNION ALL SELECT 1 FROM handles WHERE name = {:h} COLLATE NOCASE`, db.Params{"h": handle})
		if err != nil {
			return "", fmt.Errorf("find a free handle like %s: %w", base, err)
		}
		if !taken && handle != "user" {
			return handle, nil
		}
		handle = base + "_" + strings.ToLower(rand.Text()[:6])
	}
	return "", fmt.Errorf("find a free handle like %s: all tries are taken", base)
}

// Seen returns the time that the tray counts as seen when a client asks for asked and
// it was former: never back, never in the future.
func Seen(former, asked, now time.Time) time.Time {
	if asked.After(now) {
		asked = now
	}
	if asked.Before(former) {
		return former
	}
	return asked
}
