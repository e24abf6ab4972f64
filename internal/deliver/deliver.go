package deliver

import (
	"fmt"
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
	slots = 2               // of one kind of mail at a time
)

// How many pushes of one kind are under way: in all, for one person, and to one host. The service of a browser may be
// anybody's, and silent; those of Apple and Google are one host each.
const (
	pushSlots, pushSlotsPhones = 6, 4
	pushesPerUser              = 2
	pushesPerHost              = 4
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
	waiting := job.Within(job.Waiting, job.MostWaiting)
	for _, kind := range kinds {
		most := pushSlotsPhones
		if kind == "webpush" {
			most = pushSlots
		}
		jobs.Handle(pushKind+kind, s.push, job.Concurrency(most), job.Fair(pushesPerUser, pushesPerHost), waiting, job.MaxAttempts(tries))
	}
	jobs.Handle(mailJob, s.mailNotification, job.Concurrency(slots), waiting, job.MaxAttempts(tries))
	jobs.Handle(digestJob, s.mailDigest, job.Concurrency(slots), waiting, job.MaxAttempts(tries))
	jobs.Handle(LetterJob, s.mailLetter, job.Concurrency(slots), waiting, job.MaxAttempts(tries))
}

// Told is a notice that was listed: what notification tells its listener.
type Told struct {
	Notification, Recipient string
	Plan                    Plan
	Push, Mail              bool // what the app's owner allows of it
}

// Told stores what is to be sent because of a notice, in its transaction.
func (s *Service) Told(tx core.App, t Told) error {
	now := clock.Now(tx)
	if t.Push && !t.Plan.Push.IsZero() {
		var pushedAt string
		_, err := db.Value(tx, &pushedAt, `SELECT pushedAt FROM notifications WHERE id = {:n}`, db.Params{"n": t.Notification})
		if err == nil && pushedAt < clock.Text(now.Add(-calm)) { // else a moment ago, or at the end of the quiet hours: alert enough
			err = s.addPushes(tx, t)
		}
		if err != nil {
			return fmt.Errorf("push notification %s: %w", t.Notification, err)
		}
	}
	at := t.Plan.Mail
	switch {
	case !t.Mail || at.IsZero():
		return nil
	case t.Plan.Kind == Digest:
		due := clock.Text(at) // in the key, so that one that is being written does not swallow the next
		return job.Add(tx, digestJob, digestPayload{User: t.Recipient, Due: at}, job.At(at), job.Dedupe(t.Recipient+" "+due))
	}
	return job.Add(tx, mailJob, mailPayload{Notification: t.Notification, At: now}, job.At(at), job.Dedupe(t.Notification))
}

func (s *Service) addPushes(tx core.App, t Told) error {
	var devices []push.Device
	if err := db.All(tx, &devices, `SELECT id, kind, endpoint FROM devices WHERE user = {:u}`, db.Params{"u": t.Recipient}); err != nil {
		return err
	}
	added, at := false, t.Plan.Push
	for _, d := range devices {
		if s.Channels[d.Kind] == nil {
			continue
		}
		payload := pushPayload{Device: d.ID, Notification: t.Notification, At: at}
		err := job.Add(tx, pushKind+d.Kind, payload, job.At(at), job.Dedupe(t.Notification+" "+d.ID), job.ForUser(t.Recipient), job.ToHost(d.Host()))
		if err != nil {
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
	User     string `db:"user"`
	Name     string `db:"name"`
	Locale   string `db:"locale"`
	SeenAt   string `db:"seenAt"`
	DigestAt string `db:"digestedAt"`
	Wishes
}

// personColumns read a person from users u and settings s.
const personColumns = `u.id user, u.name, coalesce(s.locale, '') locale, coalesce(s.seenAt, '') seenAt, coalesce(s.digestedAt, '') digestedAt, ` + WishColumns
