package account

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/words"
)

const (
	handleReservation  = 30 * 24 * time.Hour // for the user who gave it up
	maxReservedHandles = 10                  // handles of one person at a time, so that nobody collects names by taking one after the other
	reasonRenamed      = "renamed"
)

// ReserveHandle reserves the handle for ever: nobody can take it.
func ReserveHandle(tx core.App, handle, reason string) error {
	return reserveHandle(tx, handle, reason, "", "")
}

// reserveHandle reserves the handle for a user until a time. Both are empty for a reservation without end, which
// nothing shortens.
func reserveHandle(tx core.App, handle, reason, user, until string) error {
	if handle == "" {
		return nil
	}
	_, err := db.Exec(tx, `INSERT INTO handles (id, name, reason, user, until, created, updated)
		VALUES (`+db.NewIDSQL+`, {:h}, {:reason}, {:user}, {:until}, {:now}, {:now})
		ON CONFLICT DO UPDATE SET reason = excluded.reason, user = excluded.user, until = excluded.until, updated = excluded.updated WHERE until != ''`,
		db.Params{"h": handle, "reason": reason, "user": user, "until": until, "now": clock.Timestamp(tx)})
	if err != nil {
		return fmt.Errorf("reserve handle %s: %w", handle, err)
	}
	return nil
}

// CheckHandle refuses a handle that is reserved, except for this user, and one that looks like a name of the service.
// PocketBase checks its form and that it is free.
func CheckHandle(tx core.App, user, handle string) error {
	var one int
	reserved, err := db.QueryValue(tx, &one, `SELECT 1 FROM handles WHERE name = {:h} COLLATE NOCASE AND (until = '' OR until > {:now} AND user != {:user})`,
		db.Params{"h": handle, "user": user, "now": clock.Timestamp(tx)})
	if err != nil {
		return fmt.Errorf("check handle %s: %w", handle, err)
	}
	if !reserved {
		if reserved, err = looksReserved(tx, handle); err != nil {
			return err
		}
	}
	if reserved {
		return fault.InvalidField("handle", "validation_handle_reserved", "This handle cannot be taken.")
	}
	return nil
}

// ChangeHandle checks the new handle of a user, before it is stored, and reserves the former one for them for 30 days.
func ChangeHandle(tx core.App, user, handle string) error {
	if err := CheckHandle(tx, user, handle); err != nil {
		return err
	}
	params := db.Params{"user": user, "now": clock.Timestamp(tx)}
	var former string // as it is stored, since another request may have changed it meanwhile
	if _, err := db.QueryValue(tx, &former, `SELECT handle FROM users WHERE id = {:user}`, params); err != nil {
		return fmt.Errorf("find the handle of %s: %w", user, err)
	}
	if strings.EqualFold(former, handle) {
		return nil
	}
	var kept int
	if _, err := db.QueryValue(tx, &kept, `SELECT count(*) FROM handles WHERE user = {:user} AND user != '' AND until > {:now}`, params); err != nil {
		return fmt.Errorf("count the handles kept for %s: %w", user, err)
	}
	if kept >= maxReservedHandles {
		return fault.InvalidField("handle", "validation_handle_changes", "You have changed your handle too often. Please try again in some weeks.")
	}
	return reserveHandle(tx, former, reasonRenamed, user, clock.FormatTime(clock.Now(tx).Add(handleReservation)))
}

// ForgetFormerHandles deletes from reserved handles who gave them up, when the account ends. They stay reserved for the
// same time.
func ForgetFormerHandles(tx core.App, user string) error {
	if _, err := db.Exec(tx, `UPDATE handles SET user = '' WHERE user = {:user} AND user != ''`, db.Params{"user": user}); err != nil {
		return fmt.Errorf("forget the former handles of %s: %w", user, err)
	}
	return nil
}

var notInHandle = regexp.MustCompile(`[^a-z0-9_]+`)

// HandleFrom returns the handle that is closest to a name, "user" if too little of it can be in one. It may be taken or
// reserved.
func HandleFrom(name string) string {
	base := strings.Trim(notInHandle.ReplaceAllString(words.Fold(name), "_"), "_")
	base = base[:min(len(base), 20)]
	if len(base) < 3 {
		return "user"
	}
	return base
}

// FindFreeHandle returns a free handle that is as close as possible to the given one.
func FindFreeHandle(tx core.App, hint string) (string, error) {
	base := HandleFrom(hint)
	handle := base
	for range 20 {
		var one int
		taken, err := db.QueryValue(tx, &one, `SELECT 1 FROM users WHERE handle = {:h} COLLATE NOCASE
			UNION ALL SELECT 1 FROM handles WHERE name = {:h} COLLATE NOCASE AND (until = '' OR until > {:now})`, db.Params{"h": handle, "now": clock.Timestamp(tx)})
		if err != nil {
			return "", fmt.Errorf("find a free handle like %s: %w", base, err)
		}
		if !taken {
			if taken, err = looksReserved(tx, handle); err != nil {
				return "", err
			}
		}
		if !taken && handle != "user" {
			return handle, nil
		}
		handle = base + "_" + strings.ToLower(rand.Text()[:6])
	}
	return "", fmt.Errorf("find a free handle like %s: all tries are taken", base)
}
