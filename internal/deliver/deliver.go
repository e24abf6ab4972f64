package deliver

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/deliver/push"
	"doubletap/internal/job"
)

// The kinds of our jobs. Each channel has its own, so that one that is slow holds no place of another.
const (
	pushKind   = "push." // and the kind of the device
	mailJob    = "mail.notification"
	digestJob  = "mail.digest"
	LetterJob  = "mail.letter"  // a mail.Letter, as it is
	AccountJob = "mail.account" // PocketBase's own mails
)

const (
	calm  = 5 * time.Minute // between two alerts of one notification
	tries = 60              // of a mail, which is about a day and a half
	slots = 2               // of one channel at a time
)

// The kinds of devices.
var kinds = []string{"webpush", "apns", "fcm"}

// Service delivers for one app. Set its fields before its first job.
type Service struct {
	// Channels reach devices by their kind; devices of other kinds are left alone.
	Channels map[string]push.Channel
	// Online reports whether somebody is connected, and so needs no mail.
	Online func(user string) bool
	// Pushing is asked before a message leaves for a device, and may alter it; false drops it.
	Pushing func(app core.App, d *push.Device, n *Note, m *push.Message) (bool, error)
	// Mailing is asked before a mail leaves, and may alter it; false drops it. recipient is a user's id, or empty.
	Mailing func(app core.App, kind, recipient string, m *mailer.Message) (bool, error)

	app core.App
}

// New returns the service of app, without any channel.
func New(app core.App) *Service {
	return &Service{
		app:      app,
		Channels: map[string]push.Channel{},
		Online:   func(string) bool { return false },
		Pushing:  func(core.App, *push.Device, *Note, *push.Message) (bool, error) { return true, nil },
		Mailing:  func(core.App, string, string, *mailer.Message) (bool, error) { return true, nil },
	}
}

// Handle has jobs do the service's work.
func (s *Service) Handle(jobs *job.Runner) {
	for _, kind := range kinds {
		jobs.Handle(pushKind+kind, s.push, job.Concurrency(slots), job.MaxAttempts(tries))
	}
	jobs.Handle(mailJob, s.mailNotification, job.Concurrency(slots), job.MaxAttempts(tries))
	jobs.Handle(digestJob, s.mailDigest, job.Concurrency(slots), job.MaxAttempts(tries))
	jobs.Handle(LetterJob, s.mailLetter, job.Concurrency(slots), job.MaxAttempts(tries))
}

// Told is a notice that was listed: what notification tells its listener.
type Told struct {
	Type, Notification, Recipient, Actor string
	Push, Mail                           bool // what the app's owner allows
}

// Told stores what is to be sent because of a notice, in its transaction.
func (s *Service) Told(tx core.App, t Told) error {
	if !t.Push && !t.Mail {
		return nil
	}
	now := clock.Now(tx)
	var r struct {
		person
		PushedAt string `db:"pushedAt"`
		Follows  bool   `db:"follows"`
	}
	found, err := db.One(tx, &r, `SELECT `+personColumns+`, coalesce(n.pushedAt, '') pushedAt,
			EXISTS (SELECT 1 FROM follows f WHERE f.follower = u.id AND f.followee = {:actor} AND f.state = 'accepted') follows
		FROM users u LEFT JOIN settings s ON s.user = u.id LEFT JOIN notifications n ON n.id = {:n} WHERE u.id = {:r}`,
		db.Params{"r": t.Recipient, "n": t.Notification, "actor": t.Actor})
	if err != nil || !found {
		return err
	}
	p := r.plan()
	p.Follows = r.Follows
	plan := Decide(t.Type, p, now)
	// what was pushed a moment ago, or waits for the end of the quiet hours, is alert enough
	if t.Push && !plan.Push.IsZero() && r.PushedAt < clock.Text(now.Add(-calm)) {
		if err := s.addPushes(tx, t, plan.Push); err != nil {
			return fmt.Errorf("push notification %s: %w", t.Notification, err)
		}
	}
	switch {
	case !t.Mail || plan.Mail.IsZero():
		return nil
	case plan.Kind == Digest:
		due := clock.Text(plan.Mail) // in the key, so that one that is being written does not swallow the next
		return job.Add(tx, digestJob, digestPayload{User: t.Recipient, Due: plan.Mail}, job.At(plan.Mail), job.Dedupe(t.Recipient+" "+due))
	}
	return job.Add(tx, mailJob, mailPayload{Notification: t.Notification, At: now}, job.At(plan.Mail), job.Dedupe(t.Notification))
}

func (s *Service) addPushes(tx core.App, t Told, at time.Time) error {
	var devices []push.Device
	if err := db.All(tx, &devices, `SELECT id, kind FROM devices WHERE user = {:u}`, db.Params{"u": t.Recipient}); err != nil {
		return err
	}
	added := false
	for _, d := range devices {
		if s.Channels[d.Kind] == nil {
			continue
		}
		payload := pushPayload{Device: d.ID, Notification: t.Notification, At: at}
		if err := job.Add(tx, pushKind+d.Kind, payload, job.At(at), job.Dedupe(t.Notification+" "+d.ID)); err != nil {
			return err
		}
		added = true
	}
	if !added {
		return nil
	}
	_, err := db.Exec(tx, `UPDATE notifications SET pushedAt = {:at} WHERE id = {:id}`, db.Params{"at": clock.Text(at), "id": t.Notification})
	return err
}

// person is what we know of whom we tell.
type person struct {
	User      string `db:"user"`
	Name      string `db:"name"`
	Email     string `db:"email"`
	Verified  bool   `db:"verified"`
	State     string `db:"state"`
	Notify    string `db:"notify"`
	Digest    string `db:"digest"`
	QuietFrom string `db:"quietFrom"`
	QuietTo   string `db:"quietTo"`
	Locale    string `db:"locale"`
	Timezone  string `db:"timezone"`
	SeenAt    string `db:"seenAt"`
	Bounced   string `db:"bounced"`
	DigestAt  string `db:"digestedAt"`
}

// personColumns read a person from users u and settings s.
const personColumns = `u.id user, u.name, u.email, u.verified, u.state, coalesce(s.notify, '') notify, coalesce(s.digest, '') digest,
	coalesce(s.quietFrom, '') quietFrom, coalesce(s.quietTo, '') quietTo, coalesce(s.locale, '') locale, coalesce(s.timezone, '') timezone,
	coalesce(s.seenAt, '') seenAt, coalesce(s.bounced, '') bounced, coalesce(s.digestedAt, '') digestedAt`

func (p *person) mailable() bool {
	return p.State == "active" && p.Verified && p.Email != "" && !strings.EqualFold(p.Email, p.Bounced)
}

func (p *person) plan() Person {
	return Person{
		Notify: wishes(p.Notify), Digest: p.Digest, QuietFrom: p.QuietFrom, QuietTo: p.QuietTo, Zone: zone(p.Timezone), Mailable: p.mailable(),
	}
}
