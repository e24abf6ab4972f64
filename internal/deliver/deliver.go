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
	pushKindPrefix  = "push." // and the kind of the device
	mailJob         = "mail.notification"
	digestJob       = "mail.digest"
	EmailJob        = "mail.letter"  // a mail.Letter, as it is
	AccountEmailJob = "mail.account" // PocketBase's own mails
)

const (
	pushInterval       = 5 * time.Minute // between two alerts of one notification
	maxMailAttempts    = 60              // of a mail, which is about a day and a half
	maxConcurrentMails = 2               // of one kind of mail at a time
)

// How many pushes of one kind are under way: in all, for one person, and to one host. The service of a browser may be
// anybody's, and silent; those of Apple and Google are one host each.
const (
	maxConcurrentPushes, maxConcurrentPhonePushes = 6, 4
	maxPushesPerUser                              = 2
	maxPushesPerHost                              = 4
)

// The kinds of devices.
var deviceKinds = []string{"webpush", "apns", "fcm"}

// Service delivers for one app. Set its fields before its first job.
type Service struct {
	// Channels reach devices by their kind; devices of other kinds are left alone.
	Channels map[string]push.Channel
	// IsOnline reports whether somebody is connected, and so needs no mail.
	IsOnline func(user string) bool
	// BeforePush is asked before a message leaves for a device, and may alter it; false drops it.
	BeforePush func(app core.App, d *push.Device, n *Notification, m *push.Message) (bool, error)
	// BeforeMail is asked before a mail leaves, and may alter it; false drops it. recipient is a user's id, or empty.
	BeforeMail func(app core.App, kind, recipient string, m *mailer.Message) (bool, error)

	app core.App
}

// New returns the service of app, without any channel.
func New(app core.App) *Service {
	return &Service{
		app:        app,
		Channels:   map[string]push.Channel{},
		IsOnline:   func(string) bool { return false },
		BeforePush: func(core.App, *push.Device, *Notification, *push.Message) (bool, error) { return true, nil },
		BeforeMail: func(core.App, string, string, *mailer.Message) (bool, error) { return true, nil },
	}
}

// RegisterJobs has jobs do the service's work.
func (s *Service) RegisterJobs(jobs *job.Runner) {
	waiting := job.WithinGroup(job.ExternalGroup, job.MaxExternal)
	for _, kind := range deviceKinds {
		most := maxConcurrentPhonePushes
		if kind == "webpush" {
			most = maxConcurrentPushes
		}
		jobs.Handle(pushKindPrefix+kind, s.deliverPush, job.Concurrency(most), job.FairShare(maxPushesPerUser, maxPushesPerHost), waiting, job.MaxAttempts(maxMailAttempts))
	}
	jobs.Handle(mailJob, s.mailNotification, job.Concurrency(maxConcurrentMails), waiting, job.MaxAttempts(maxMailAttempts))
	jobs.Handle(digestJob, s.mailDigest, job.Concurrency(maxConcurrentMails), waiting, job.MaxAttempts(maxMailAttempts))
	jobs.Handle(EmailJob, s.deliverEmail, job.Concurrency(maxConcurrentMails), waiting, job.MaxAttempts(maxMailAttempts))
}

// Delivery is a notice that was listed: what notification tells its listener.
type Delivery struct {
	Notification, Recipient string
	Plan                    Plan
	Push, Mail              bool // what the app's owner allows of it
}

// Schedule stores what is to be sent because of a notice, in its transaction.
func (s *Service) Schedule(tx core.App, t Delivery) error {
	now := clock.Now(tx)
	if t.Push && !t.Plan.PushAt.IsZero() {
		var pushedAt string
		_, err := db.QueryValue(tx, &pushedAt, `SELECT pushedAt FROM notifications WHERE id = {:n}`, db.Params{"n": t.Notification})
		if err == nil && pushedAt < clock.FormatTime(now.Add(-pushInterval)) { // else a moment ago, or at the end of the quiet hours: alert enough
			err = s.addPushes(tx, t)
		}
		if err != nil {
			return fmt.Errorf("push notification %s: %w", t.Notification, err)
		}
	}
	at := t.Plan.MailAt
	switch {
	case !t.Mail || at.IsZero():
		return nil
	case t.Plan.MailMode == MailDigest:
		due := clock.FormatTime(at) // in the key, so that one that is being written does not swallow the next
		return job.Enqueue(tx, digestJob, digestPayload{User: t.Recipient, Due: at}, job.RunAt(at), job.Dedupe(t.Recipient+" "+due))
	}
	return job.Enqueue(tx, mailJob, mailPayload{Notification: t.Notification, At: now}, job.RunAt(at), job.Dedupe(t.Notification))
}

func (s *Service) addPushes(tx core.App, t Delivery) error {
	var devices []push.Device
	if err := db.QueryAll(tx, &devices, `SELECT id, kind, endpoint FROM devices WHERE user = {:u}`, db.Params{"u": t.Recipient}); err != nil {
		return err
	}
	added, at := false, t.Plan.PushAt
	for _, d := range devices {
		if s.Channels[d.Kind] == nil {
			continue
		}
		payload := pushPayload{Device: d.ID, Notification: t.Notification, At: at}
		err := job.Enqueue(tx, pushKindPrefix+d.Kind, payload, job.RunAt(at), job.Dedupe(t.Notification+" "+d.ID), job.ForUser(t.Recipient), job.ToHost(d.Host()))
		if err != nil {
			return err
		}
		added = true
	}
	if !added {
		return nil
	}
	_, err := db.Exec(tx, `UPDATE notifications SET pushedAt = {:at} WHERE id = {:id}`, db.Params{"at": clock.FormatTime(at), "id": t.Notification})
	return err
}

// recipientRow is what we know of whom we tell.
type recipientRow struct {
	User     string `db:"user"`
	Name     string `db:"name"`
	Locale   string `db:"locale"`
	SeenAt   string `db:"seenAt"`
	DigestAt string `db:"digestedAt"`
	StoredPreferences
}

// recipientColumns read a person from users u and settings s.
const recipientColumns = `u.id user, u.name, coalesce(s.locale, '') locale, coalesce(s.seenAt, '') seenAt, coalesce(s.digestedAt, '') digestedAt, ` + PreferenceColumns
