// Package deliver brings a notification to its person as they asked: to their devices, by mail now or in a
// digest, once, from jobs that were stored together with its cause.
package deliver

import (
	"encoding/json"
	"strings"
	"time"
	_ "time/tzdata" // a server may have none, and quiet hours are in the user's
)

// Mail is when a type of notification is mailed.
type Mail string

// The ways a person can have mail.
const (
	Off    Mail = "off"
	Digest Mail = "digest"
	Now    Mail = "now"
)

// Preference is what settings.notify holds for a type. What is left out is as the product has it.
type Preference struct {
	List *bool  `json:"list"`
	Live *bool  `json:"live"`
	Push *bool  `json:"push"`
	Mail Mail   `json:"mail,omitempty" one:"off digest now"`
	From string `json:"from,omitempty" one:"all follows"` // all, or follows: only from people one follows
}

// defaults are how a type is told to those who said nothing. What asks for an answer rings; what is
// merely nice is read when there is time.
var defaults = map[string]struct {
	push bool
	mail Mail
}{
	"like":            {true, Digest},
	"comment":         {true, Digest},
	"reply":           {true, Digest},
	"comment_like":    {false, Off},
	"mention":         {true, Digest},
	"follow":          {true, Digest},
	"follow_request":  {true, Digest},
	"follow_accepted": {true, Off},
	"post":            {true, Digest},
	"order":           {true, Now},
	"system":          {true, Now},
}

// Reachable is the condition, on the recipient u of users, their settings s and the type {:t}, without which nothing can
// have to leave: no device, and no mail by default or by choice. Most likes end here.
const Reachable = `(EXISTS (SELECT 1 FROM devices WHERE user = u.id)
	OR (u.verified AND ({:t} IN ('order', 'system') OR coalesce(s.digest, '') NOT IN ('', 'off') OR coalesce(s.notify, '') NOT IN ('', '{}', 'null'))))`

// Person is what decides how somebody is told.
type Person struct {
	Notify    map[string]Preference
	Digest    string // off, hourly or daily
	QuietFrom string // "22:00" in Zone, or ""
	QuietTo   string
	Zone      *time.Location
	Follows   bool // the actor
	Muted     bool // the actor or the post
	Mailable  bool // the address is verified, and no mail came back from it
}

// Wishes are what is stored of how somebody is told: their account's address and their settings.
type Wishes struct {
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

// WishColumns read Wishes from users u and settings s, in the order of Columns.
const WishColumns = `u.email, u.verified, u.state, coalesce(s.bounced, '') bounced, coalesce(s.notify, '') notify, coalesce(s.digest, '') digest,
	coalesce(s.quietFrom, '') quietFrom, coalesce(s.quietTo, '') quietTo, coalesce(s.timezone, '') timezone`

// Columns are where WishColumns are read to.
func (w *Wishes) Columns() []any {
	return []any{&w.Email, &w.Verified, &w.State, &w.Bounced, &w.Notify, &w.Digest, &w.QuietFrom, &w.QuietTo, &w.Timezone}
}

func (w *Wishes) mailable() bool {
	return w.State == "active" && w.Verified && w.Email != "" && !strings.EqualFold(w.Email, w.Bounced)
}

// Person is what decides, as far as it does not depend on who does what.
func (w *Wishes) Person() Person {
	p := Person{Notify: wishes(w.Notify), Digest: w.Digest, QuietFrom: w.QuietFrom, QuietTo: w.QuietTo, Mailable: w.mailable()}
	if w.QuietFrom != "" || w.Digest == "daily" { // a zone takes longer to find than all the rest
		p.Zone = zone(w.Timezone)
	}
	return p
}

// Plan is how one notification is told.
type Plan struct {
	List bool      // in the tray
	Live bool      // at once, to those devices that are connected
	Push time.Time // when to send to devices; zero for never
	Mail time.Time // when to mail, or when the digest is due; zero for never
	Kind Mail      // what that mail is
}

// wait is how long a mail waits for its person to see the notification elsewhere.
const wait = 2 * time.Minute

// Decide says how p is told of something of a type that happens now.
func Decide(kind string, p Person, now time.Time) Plan {
	own, usual := p.Notify[kind], defaults[kind]
	if p.Muted || own.From == "follows" && !p.Follows || !or(own.List, true) { // all else tells of what is in the tray
		return Plan{Kind: Off}
	}
	plan := Plan{List: true, Live: or(own.Live, true), Kind: Off}
	if or(own.Push, usual.push) {
		plan.Push = p.afterQuiet(now)
	}
	mail := own.Mail
	if mail != Off && mail != Digest && mail != Now {
		mail = usual.mail
	}
	switch {
	case !p.Mailable:
	case mail == Now:
		plan.Kind, plan.Mail = Now, now.Add(wait)
	case mail == Digest && p.Digest == "hourly":
		plan.Kind, plan.Mail = Digest, now.Truncate(time.Hour).Add(time.Hour)
	case mail == Digest && p.Digest == "daily":
		plan.Kind, plan.Mail = Digest, nextWall(now.In(p.zone()), morning).UTC()
	}
	return plan
}

// morning is when daily digests are due.
var morning = time.Date(0, 1, 1, 8, 0, 0, 0, time.UTC)

// afterQuiet returns the first moment from now on at which the clock on the person's wall is outside the quiet hours. A
// clock that is put forward may skip their end, and one that is put back may lead out of them or into them again.
func (p Person) afterQuiet(now time.Time) time.Time {
	from, errFrom := time.Parse(wallLayout, p.QuietFrom)
	to, errTo := time.Parse(wallLayout, p.QuietTo)
	if errFrom != nil || errTo != nil || from.Equal(to) {
		return now
	}
	at := now.In(p.zone())
	for isQuiet(sinceMidnight(at), sinceMidnight(from), sinceMidnight(to)) {
		end := at.Add(untilWall(at, to))
		if change, changes := clockChange(at); changes && change.Before(end) {
			end = change
		}
		at = end
	}
	return at.UTC()
}

// isQuiet reports whether a time of day is in [from, to), which may go over midnight.
func isQuiet(at, from, to time.Duration) bool {
	if from < to {
		return from <= at && at < to
	}
	return from <= at || at < to
}
func (p Person) zone() *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

func or(wish *bool, usual bool) bool {
	if wish == nil {
		return usual
	}
	return *wish
}

// wishes reads settings.notify. Each type is read by itself: what a client stored wrongly for one spoils no other.
func wishes(text string) map[string]Preference {
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

// zone is the time zone of that name, UTC when there is none.
func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC
	}
	return z
}
