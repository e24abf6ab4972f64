package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// The kinds of mails to accounts that somebody else may cause.
const (
	Verification  = "verification"
	PasswordReset = "password_reset"
	EmailChange   = "email_change"
	OneTimeCode   = "otp"
	LoginAlert    = "auth_alert"
	Credential    = "credential" // says that a password or an address was changed
)

// budget is how often mails of a kind may go to one mailbox.
type budget struct {
	minInterval time.Duration // between two of them
	maxPerDay   int           // in budgetWindow
}

var budgets = map[string]budget{
	Verification:  {2 * time.Minute, 5},
	PasswordReset: {2 * time.Minute, 5},
	EmailChange:   {2 * time.Minute, 5},
	OneTimeCode:   {30 * time.Second, 20},
	LoginAlert:    {0, 5},
	Credential:    {0, 10},
}

const (
	budgetWindow       = 24 * time.Hour
	maxMailsPerMailbox = 30 // mails of all kinds to one mailbox in budgetWindow
	maxMailsPerCause   = 10 // mails of one kind, to any mailboxes, that one account causes in budgetWindow
	cleanupBatch       = 50 // old rows that one mail deletes
)

// MailboxKey returns the hash that stands for a mailbox in job.Dedupe and in the rows of budgets. It is the same for
// all spellings of its address, including those with +anything, which most providers deliver to one mailbox.
func MailboxKey(address string) string {
	local, domain, _ := strings.Cut(account.FoldAddress(address), "@")
	local, _, _ = strings.Cut(local, "+")
	sum := sha256.Sum256([]byte(local + "@" + domain))
	return hex.EncodeToString(sum[:16])
}

// Pause is how long after a mail of the kind there is no other to the same mailbox.
func Pause(kind string) time.Duration {
	if os.Getenv("DOUBLETAP_LIMITS") == "off" {
		return 0
	}
	return budgets[kind].minInterval
}

// SpendBudget reports whether one more mail of the kind may go to the address, and counts it. by is the account that causes
// a mail to somebody else, or empty. Rows hold the counts: a restart forgets none.
func SpendBudget(app core.App, kind, address, by string) (allowed bool, err error) {
	limit, limited := budgets[kind]
	if !limited || os.Getenv("DOUBLETAP_LIMITS") == "off" {
		return true, nil
	}
	err = app.RunInTransaction(func(tx core.App) error {
		now := clock.Now(tx)
		target := MailboxKey(address)
		rows, err := readSpent(tx, target, now)
		if err != nil {
			return err
		}
		if allowed = limit.hasRoom(rows, kind, now); !allowed {
			return nil
		}
		if by != "" {
			caused, err := readSpent(tx, by, now)
			if err != nil {
				return err
			}
			if allowed = caused[kind].Count < maxMailsPerCause; !allowed {
				return nil
			}
			if err := writeSpent(tx, by, kind, caused[kind], now); err != nil {
				return err
			}
		}
		return writeSpent(tx, target, kind, rows[kind], now)
	})
	if err != nil {
		return false, fmt.Errorf("count a mail of %s: %w", kind, err)
	}
	return allowed, nil
}

// hasRoom reports whether a mailbox that got what the rows say may get one more mail of the kind.
func (b budget) hasRoom(rows map[string]spentRow, kind string, now time.Time) bool {
	total := 0
	for name, row := range rows {
		if !strings.HasPrefix(name, refundKind) {
			total += row.Count
		}
	}
	one := rows[kind]
	return one.Count < b.maxPerDay && total < maxMailsPerMailbox && (one.Count == 0 || timeApart(one.LastAt, now) >= b.minInterval)
}

// HasRoom reports whether SpendBudget would let a mail that nobody causes go to the address.
func HasRoom(app core.App, kind, address string) (bool, error) {
	limit, limited := budgets[kind]
	if !limited || os.Getenv("DOUBLETAP_LIMITS") == "off" {
		return true, nil
	}
	now := clock.Now(app)
	rows, err := readSpent(app, MailboxKey(address), now)
	if err != nil {
		return false, fmt.Errorf("read the budget of mails of %s: %w", kind, err)
	}
	return limit.hasRoom(rows, kind, now), nil
}

// refundKind begins the kind of the rows that count refunds.
const refundKind = "refund:"

// RefundBudget gives back what a mail to the address took that did not leave, so that the next may leave at once. In budgetWindow it does
// so for no more mails than may leave, as a server may say that it failed and yet deliver.
func RefundBudget(tx core.App, kind, address string) error {
	now, target := clock.Now(tx), MailboxKey(address)
	rows, err := readSpent(tx, target, now)
	if err == nil && rows[kind].Count > 0 && rows[refundKind+kind].Count < budgets[kind].maxPerDay {
		if err = writeSpent(tx, target, refundKind+kind, rows[refundKind+kind], now); err == nil {
			_, err = db.Exec(tx, `UPDATE mailings SET count = count - 1, lastAt = {:last} WHERE target = {:target} AND kind = {:kind}`,
				db.Params{"target": target, "kind": kind, "last": clock.FormatTime(now.Add(-budgets[kind].minInterval))})
		}
	}
	if err != nil {
		return fmt.Errorf("give back a mail of %s: %w", kind, err)
	}
	return nil
}

// requestLife is how long a request is remembered: longer than the pause between two.
const requestLife = time.Hour

// requestKind begins the kind of the rows that note requests, whether or not they were mailed.
const requestKind = "request:"

// LastRequest names the last request for mail of a kind that was noted for who, if it is not longer ago than the pause between two
// mails; else it returns the empty string.
func LastRequest(app core.App, kind, who string) (string, error) {
	_, name, err := readRequest(app, kind, who, clock.Now(app))
	return name, err
}

// NoteRequest notes a request for mail of a kind, of which who may be anybody, and names it. Within the pause after the one before it
// is the same request.
func NoteRequest(tx core.App, kind, who string) (name string, err error) {
	now := clock.Now(tx)
	row, name, err := readRequest(tx, kind, who, now)
	if err != nil || name != "" {
		return name, err
	}
	if err := writeSpent(tx, who, requestKind+kind, row, now); err != nil {
		return "", fmt.Errorf("note a request for mail of %s: %w", kind, err)
	}
	// there may be one for every address that anybody ever asked about
	_, err = db.Exec(tx, `DELETE FROM mailings WHERE rowid IN (SELECT rowid FROM mailings WHERE kind = {:kind} AND lastAt < {:old} LIMIT {:n})`,
		db.Params{"kind": requestKind + kind, "old": clock.FormatTime(now.Add(-requestLife)), "n": cleanupBatch})
	if err != nil {
		return "", fmt.Errorf("forget old requests for mail of %s: %w", kind, err)
	}
	return requestName(row.Count+1, clock.FormatTime(now)), nil
}

func readRequest(app core.App, kind, who string, now time.Time) (row spentRow, name string, err error) {
	rows, err := readSpent(app, who, now)
	if err != nil {
		return row, "", fmt.Errorf("find the last request for mail of %s: %w", kind, err)
	}
	row = rows[requestKind+kind]
	if row.Count > 0 && timeApart(row.LastAt, now) < Pause(kind) {
		name = requestName(row.Count, row.LastAt)
	}
	return row, name, nil
}

func requestName(count int, at string) string { return fmt.Sprint(count, " ", at) }

// spentRow is a row of mailings.
type spentRow struct {
	Kind   string `db:"kind"`
	Count  int    `db:"count"`
	Since  string `db:"since"`
	LastAt string `db:"lastAt"`
}

// readSpent returns, by kind, what a target got within budgetWindow.
func readSpent(tx core.App, target string, now time.Time) (map[string]spentRow, error) {
	var all []spentRow
	if err := db.QueryAll(tx, &all, `SELECT kind, count, since, lastAt FROM mailings WHERE target = {:target}`, db.Params{"target": target}); err != nil {
		return nil, err
	}
	rows := map[string]spentRow{}
	for _, row := range all {
		if timeApart(row.Since, now) < budgetWindow {
			rows[row.Kind] = row
		}
	}
	return rows, nil
}

func writeSpent(tx core.App, target, kind string, row spentRow, now time.Time) error {
	if row.Count == 0 {
		row.Since = clock.FormatTime(now)
	}
	_, err := db.Exec(tx, `REPLACE INTO mailings (target, kind, count, since, lastAt) VALUES ({:target}, {:kind}, {:count}, {:since}, {:now})`,
		db.Params{"target": target, "kind": kind, "count": row.Count + 1, "since": row.Since, "now": clock.FormatTime(now)})
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `DELETE FROM mailings WHERE rowid IN (SELECT rowid FROM mailings WHERE lastAt < {:old} LIMIT {:n})`,
		db.Params{"old": clock.FormatTime(now.Add(-2 * budgetWindow)), "n": cleanupBatch})
	return err
}

// timeApart returns how far a stored time is from now, in either direction: a clock that was put back must not close a
// budget for long.
func timeApart(stored string, now time.Time) time.Duration {
	at, err := clock.ParseTime(stored)
	if err != nil {
		return budgetWindow
	}
	return now.Sub(at).Abs()
}
