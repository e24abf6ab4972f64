package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/job"
)

// The kinds of our jobs. Each channel has its own, so that a slow one takes no place from another.
const (
	pushKindPrefix  = "push." // followed by the kind of the device
	mailJob         = "mail.notification"
	digestJob       = "mail.digest"
	EmailJob        = "mail.letter"  // its payload is a mail.Email
	AccountEmailJob = "mail.account" // PocketBase's own mails
)

const (
	pushInterval       = 5 * time.Minute // between two alerts of one notification
	maxMailAttempts    = 60              // of a job, which takes about a day and a half
	maxConcurrentMails = 2               // of one kind of mail at a time
)

// How many pushes of one kind may be under way: in all, for one person, and to one host. The push service of a browser
// may be anybody's, and silent; Apple and Google have one host each.
const (
	maxConcurrentPushes, maxConcurrentPhonePushes = 6, 4
	maxPushesPerUser                              = 2
	maxPushesPerHost                              = 4
)

// The kinds of devices.
var deviceKinds = []string{"webpush", "apns", "fcm"}

// Service delivers notifications for one app. Set its fields before its first job.
type Service struct {
	// Channels reach devices, by their kind. Devices of kinds without a channel are left alone.
	Channels map[string]push.Channel
	// IsOnline reports whether a user is connected, and so needs no mail.
	IsOnline func(user string) bool
	// BeforePush is called before a message leaves for a device, and may change it; false drops it.
	BeforePush func(app core.App, d *push.Device, n *Notification, m *push.Message) (bool, error)
	// BeforeMail is called before a mail leaves, and may change it; false drops it. recipient is a user's id, or
	// empty.
	BeforeMail func(app core.App, kind, recipient string, m *mailer.Message) (bool, error)

	// Mails is what talks to the mail server.
	Mails mail.Sender

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

// Close begins no further conversation with a mail server, and waits for those under way, or until ctx ends.
func (s *Service) Close(ctx context.Context) error { return s.Mails.Close(ctx) }

// RegisterJobs registers the handlers of the service's jobs.
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

// Delivery is an event that was listed: what may have to be sent because of it.
type Delivery struct {
	Notification, Recipient string
	Plan                    Plan
	Push, Mail              bool // what the app's owner allows of the plan
}

// Schedule enqueues the jobs that send a delivery, in the transaction of its event.
func (s *Service) Schedule(tx core.App, d Delivery) error {
	now := clock.Now(tx)
	if d.Push && !d.Plan.PushAt.IsZero() {
		var pushedAt string
		_, err := db.QueryValue(tx, &pushedAt, `SELECT pushedAt FROM notifications WHERE id = {:n}`, db.Params{"n": d.Notification})
		if err == nil && pushedAt < clock.FormatTime(now.Add(-pushInterval)) { // otherwise there was an alert a moment ago, or is one at the end of the quiet hours: that is enough
			err = s.addPushes(tx, d)
		}
		if err != nil {
			return fmt.Errorf("push notification %s: %w", d.Notification, err)
		}
	}
	at := d.Plan.MailAt
	switch {
	case !d.Mail || at.IsZero():
		return nil
	case d.Plan.MailMode == MailDigest:
		due := clock.FormatTime(at) // in the key, so that a digest that is being written does not swallow the next
		return job.Enqueue(tx, digestJob, digestPayload{User: d.Recipient, Due: at}, job.RunAt(at), job.Dedupe(d.Recipient+" "+due))
	}
	return job.Enqueue(tx, mailJob, mailPayload{Notification: d.Notification, At: now}, job.RunAt(at), job.Dedupe(d.Notification))
}

func (s *Service) addPushes(tx core.App, d Delivery) error {
	var devices []push.Device
	if err := db.QueryAll(tx, &devices, `SELECT id, kind, endpoint FROM devices WHERE user = {:u}`, db.Params{"u": d.Recipient}); err != nil {
		return err
	}
	added, at := false, d.Plan.PushAt
	for _, device := range devices {
		if s.Channels[device.Kind] == nil {
			continue
		}
		payload := pushPayload{Device: device.ID, Notification: d.Notification, At: at}
		err := job.Enqueue(tx, pushKindPrefix+device.Kind, payload, job.RunAt(at), job.Dedupe(d.Notification+" "+device.ID), job.ForUser(d.Recipient), job.ToHost(device.Host()))
		if err != nil {
			return err
		}
		added = true
	}
	if !added {
		return nil
	}
	_, err := db.Exec(tx, `UPDATE notifications SET pushedAt = {:at} WHERE id = {:id}`, db.Params{"at": clock.FormatTime(at), "id": d.Notification})
	return err
}

// recipientRow is what is stored of a recipient.
type recipientRow struct {
	User     string `db:"user"`
	Name     string `db:"name"`
	Locale   string `db:"locale"`
	SeenAt   string `db:"seenAt"`
	DigestAt string `db:"digestedAt"`
	StoredPreferences
}

// recipientColumns reads a recipientRow from users u and settings s.
const recipientColumns = `u.id user, u.name, coalesce(s.locale, '') locale, coalesce(s.seenAt, '') seenAt, coalesce(s.digestedAt, '') digestedAt, ` + PreferenceColumns
