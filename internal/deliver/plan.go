// Package deliver brings a notification to its recipient as they asked: to their devices, and by mail, at once or in a
// digest. It does so once, by jobs that are stored together with the notification's cause.
package deliver

import (
	"encoding/json"
	"strings"
	"time"
	_ "time/tzdata" // a server may have no time zones, and quiet hours are in the user's
)

// MailMode is when a type of notification is mailed.
type MailMode string

// The mail modes.
const (
	MailOff    MailMode = "off"
	MailDigest MailMode = "digest"
	MailNow    MailMode = "now"
)

// Preference is what settings.notify holds for a type. What it leaves out is the product's default.
type Preference struct {
	List *bool    `json:"list"`
	Live *bool    `json:"live"`
	Push *bool    `json:"push"`
	Mail MailMode `json:"mail,omitempty" one:"off digest now"`
	From string   `json:"from,omitempty" one:"all follows"` // all, or follows: only from people whom the recipient follows
}

// defaultPreferences are for recipients who set nothing. What asks for an answer is pushed; what is merely nice is
// read when there is time.
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

// ReachableCondition is a condition on the recipient u of users, their settings s and the type {:t}. When it is false
// there is nothing to send: no device, and no mail by default or by choice. Most likes end here.
const ReachableCondition = `(EXISTS (SELECT 1 FROM devices WHERE user = u.id)
	OR (u.verified AND ({:t} IN ('order', 'system') OR coalesce(s.digest, '') NOT IN ('', 'off') OR coalesce(s.notify, '') NOT IN ('', '{}', 'null'))))`

// Recipient is all that decides how somebody is told.
type Recipient struct {
	Notify    map[string]Preference
	Digest    string // off, hourly or daily
	QuietFrom string // "22:00" in Zone, or ""
	QuietTo   string
	Zone      *time.Location
	Follows   bool // follows the actor
	Muted     bool // has muted the actor or the post
	Mailable  bool // the address is verified, and no mail to it bounced
}

// StoredPreferences are what is stored of how somebody wants to be told: their account's address and their settings.
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

// PreferenceColumns reads StoredPreferences from users u and settings s, in the order of ScanTargets.
const PreferenceColumns = `u.email, u.verified, u.state, coalesce(s.bounced, '') bounced, coalesce(s.notify, '') notify, coalesce(s.digest, '') digest,
	coalesce(s.quietFrom, '') quietFrom, coalesce(s.quietTo, '') quietTo, coalesce(s.timezone, '') timezone`

// ScanTargets returns pointers to the fields that PreferenceColumns reads.
func (p *StoredPreferences) ScanTargets() []any {
	return []any{&p.Email, &p.Verified, &p.State, &p.Bounced, &p.Notify, &p.Digest, &p.QuietFrom, &p.QuietTo, &p.Timezone}
}

func (p *StoredPreferences) isMailable() bool {
	return p.State == "active" && p.Verified && p.Email != "" && !strings.EqualFold(p.Email, p.Bounced)
}

// Recipient returns what decides how somebody is told, except Follows and Muted, which depend on the event.
func (p *StoredPreferences) Recipient() Recipient {
	r := Recipient{Notify: parsePreferences(p.Notify), Digest: p.Digest, QuietFrom: p.QuietFrom, QuietTo: p.QuietTo, Mailable: p.isMailable()}
	if p.QuietFrom != "" || p.Digest == "daily" { // to load a zone takes longer than everything else
		r.Zone = loadZone(p.Timezone)
	}
	return r
}

// Plan is how one event is told to its recipient.
type Plan struct {
	List     bool      // in the tray
	Live     bool      // at once, to those of their devices that are connected
	PushAt   time.Time // when to send to devices; zero for never
	MailAt   time.Time // when to mail, or when the digest is due; zero for never
	MailMode MailMode  // what that mail is
}

// mailDelay is how long a mail waits, so that its recipient can see the notification elsewhere.
const mailDelay = 2 * time.Minute

// DecidePlan returns how p is told of an event of this type that happens now.
func DecidePlan(kind string, p Recipient, now time.Time) Plan {
	preference, usual := p.Notify[kind], defaultPreferences[kind]
	if p.Muted || preference.From == "follows" && !p.Follows || !valueOr(preference.List, true) { // everything else is about what is in the tray
		return Plan{MailMode: MailOff}
	}
	plan := Plan{List: true, Live: valueOr(preference.Live, true), MailMode: MailOff}
	if valueOr(preference.Push, usual.push) {
		plan.PushAt = p.afterQuietHours(now)
	}
	mail := preference.Mail
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

// digestTime is the time of day of daily digests, in the recipient's time zone.
var digestTime = time.Date(0, 1, 1, 8, 0, 0, 0, time.UTC)

// afterQuietHours returns the first moment from now on at which the recipient's wall clock is outside the quiet hours.
// A clock that is put forward may skip their end, and one that is put back may lead out of them or into them again.
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

// isQuietTime reports whether a time of day is in [from, to), which may include midnight.
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

func valueOr(own *bool, usual bool) bool {
	if own == nil {
		return usual
	}
	return *own
}

// parsePreferences reads settings.notify. Each type is parsed by itself: a wrong value for one type spoils no other.
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

// loadZone returns the time zone with this name, or UTC when there is none.
func loadZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC
	}
	return z
}
