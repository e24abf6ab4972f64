// Package deliver brings a notification to its person as they asked: to their devices, by mail now or in a
// digest, once, from jobs that were stored together with its cause.
package deliver

import (
	"encoding/json"
	"strings"
	"time"
	_ "time/tzdata" // a server may have none, and quiet hours are in the user's
)

// MailMode is when a type of notification is mailed.
type MailMode string

// The ways a person can have mail.
const (
	MailOff    MailMode = "off"
	MailDigest MailMode = "digest"
	MailNow    MailMode = "now"
)

// Preference is what settings.notify holds for a type. What is left out is as the product has it.
type Preference struct {
	List *bool    `json:"list"`
	Live *bool    `json:"live"`
	Push *bool    `json:"push"`
	Mail MailMode `json:"mail,omitempty" one:"off digest now"`
	From string   `json:"from,omitempty" one:"all follows"` // all, or follows: only from people one follows
}

// defaultPreferences are how a type is told to those who said nothing. What asks for an answer rings; what is
// merely nice is read when there is time.
var defaultPreferences = map[string]struct {
	push bool
	mail MailMode
}{
	"like":            {true, MailDigest},
	"comment":         {true, MailDigest},
	"reply":           {true, MailDigest},
	"comment_like":    {false, MailOff},
	"mention":         {true, MailDigest},
	"follow":          {true, MailDigest},
	"follow_request":  {true, MailDigest},
	"follow_accepted": {true, MailOff},
	"post":            {true, MailDigest},
	"order":           {true, MailNow},
	"system":          {true, MailNow},
}

// ReachableCondition is the condition, on the recipient u of users, their settings s and the type {:t}, without which nothing can
// have to leave: no device, and no mail by default or by choice. Most likes end here.
const ReachableCondition = `(EXISTS (SELECT 1 FROM devices WHERE user = u.id)
	OR (u.verified AND ({:t} IN ('order', 'system') OR coalesce(s.digest, '') NOT IN ('', 'off') OR coalesce(s.notify, '') NOT IN ('', '{}', 'null'))))`

// Recipient is what decides how somebody is told.
type Recipient struct {
	Notify    map[string]Preference
	Digest    string // off, hourly or daily
	QuietFrom string // "22:00" in Zone, or ""
	QuietTo   string
	Zone      *time.Location
	Follows   bool // the actor
	Muted     bool // the actor or the post
	Mailable  bool // the address is verified, and no mail came back from it
}

// StoredPreferences are what is stored of how somebody is told: their account's address and their settings.
type StoredPreferences struct {
	Email     string `db:"email"`
	Verified  bool   `db:"verified"`
	State     string `db:"state"` // of the account
	Bounced   string `db:"bounced"`
	Notify    string `db:"notify"`
	Digest    string `db:"digest"`
	QuietFrom string `db:"quietFrom"`
	QuietTo   string `db:"quietTo"`
	Timezone  string `db:"timezone"`
}

// PreferenceColumns read Wishes from users u and settings s, in the order of Columns.
const PreferenceColumns = `u.email, u.verified, u.state, coalesce(s.bounced, '') bounced, coalesce(s.notify, '') notify, coalesce(s.digest, '') digest,
	coalesce(s.quietFrom, '') quietFrom, coalesce(s.quietTo, '') quietTo, coalesce(s.timezone, '') timezone`

// ScanTargets are where PreferenceColumns are read to.
func (w *StoredPreferences) ScanTargets() []any {
	return []any{&w.Email, &w.Verified, &w.State, &w.Bounced, &w.Notify, &w.Digest, &w.QuietFrom, &w.QuietTo, &w.Timezone}
}

func (w *StoredPreferences) isMailable() bool {
	return w.State == "active" && w.Verified && w.Email != "" && !strings.EqualFold(w.Email, w.Bounced)
}

// Recipient is what decides, as far as it does not depend on who does what.
func (w *StoredPreferences) Recipient() Recipient {
	p := Recipient{Notify: parsePreferences(w.Notify), Digest: w.Digest, QuietFrom: w.QuietFrom, QuietTo: w.QuietTo, Mailable: w.isMailable()}
	if w.QuietFrom != "" || w.Digest == "daily" { // a zone takes longer to find than all the rest
		p.Zone = loadZone(w.Timezone)
	}
	return p
}

// Plan is how one notification is told.
type Plan struct {
	List     bool      // in the tray
	Live     bool      // at once, to those devices that are connected
	PushAt   time.Time // when to send to devices; zero for never
	MailAt   time.Time // when to mail, or when the digest is due; zero for never
	MailMode MailMode  // what that mail is
}

// mailDelay is how long a mail waits for its person to see the notification elsewhere.
const mailDelay = 2 * time.Minute

// DecidePlan says how p is told of something of a type that happens now.
func DecidePlan(kind string, p Recipient, now time.Time) Plan {
	own, usual := p.Notify[kind], defaultPreferences[kind]
	if p.Muted || own.From == "follows" && !p.Follows || !valueOr(own.List, true) { // all else tells of what is in the tray
		return Plan{MailMode: MailOff}
	}
	plan := Plan{List: true, Live: valueOr(own.Live, true), MailMode: MailOff}
	if valueOr(own.Push, usual.push) {
		plan.PushAt = p.afterQuietHours(now)
	}
	mail := own.Mail
	if mail != MailOff && mail != MailDigest && mail != MailNow {
		mail = usual.mail
	}
	switch {
	case !p.Mailable:
	case mail == MailNow:
		plan.MailMode, plan.MailAt = MailNow, now.Add(mailDelay)
	case mail == MailDigest && p.Digest == "hourly":
		plan.MailMode, plan.MailAt = MailDigest, now.Truncate(time.Hour).Add(time.Hour)
	case mail == MailDigest && p.Digest == "daily":
		plan.MailMode, plan.MailAt = MailDigest, nextWallClock(now.In(p.timeZone()), digestTime).UTC()
	}
	return plan
}

// digestTime is when daily digests are due.
var digestTime = time.Date(0, 1, 1, 8, 0, 0, 0, time.UTC)

// afterQuietHours returns the first moment from now on at which the clock on the person's wall is outside the quiet hours. A
// clock that is put forward may skip their end, and one that is put back may lead out of them or into them again.
func (p Recipient) afterQuietHours(now time.Time) time.Time {
	from, errFrom := time.Parse(wallClockLayout, p.QuietFrom)
	to, errTo := time.Parse(wallClockLayout, p.QuietTo)
	if errFrom != nil || errTo != nil || from.Equal(to) {
		return now
	}
	at := now.In(p.timeZone())
	for isQuietTime(sinceMidnight(at), sinceMidnight(from), sinceMidnight(to)) {
		end := at.Add(untilWallClock(at, to))
		if change, changes := clockChange(at); changes && change.Before(end) {
			end = change
		}
		at = end
	}
	return at.UTC()
}

// isQuietTime reports whether a time of day is in [from, to), which may go over midnight.
func isQuietTime(at, from, to time.Duration) bool {
	if from < to {
		return from <= at && at < to
	}
	return from <= at || at < to
}
func (p Recipient) timeZone() *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

func valueOr(wish *bool, usual bool) bool {
	if wish == nil {
		return usual
	}
	return *wish
}

// parsePreferences reads settings.notify. Each type is read by itself: what a client stored wrongly for one spoils no other.
func parsePreferences(text string) map[string]Preference {
	if len(text) <= len("{}") {
		return nil
	}
	var raw map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil
	}
	all := map[string]Preference{}
	for kind, one := range raw {
		var p Preference
		if json.Unmarshal(one, &p) == nil {
			all[kind] = p
		}
	}
	return all
}

// loadZone is the time zone of that name, UTC when there is none.
func loadZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC
	}
	return z
}
