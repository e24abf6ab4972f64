package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/phrases"
	"github.com/doubletap/doubletap/internal/job"
)

type mailPayload struct {
	Notification string
	At           time.Time // of its cause; it is a part of the Message-ID, which is the same on every attempt
}

// mailNotification mails one notification as it is now, unless it was taken back, seen, or mailed since its recipient
// last looked.
func (s *Service) mailNotification(ctx context.Context, app core.App, j *job.Job) error {
	var cause mailPayload
	if err := j.ReadPayload(&cause); err != nil {
		return err
	}
	n, err := findNotification(app, cause.Notification)
	if err != nil || n == nil || !n.isMailable() || n.MailedAt > n.SeenAt {
		return err
	}
	p := n.Recipient()
	p.Follows = true // otherwise it would not have been listed
	switch plan := DecidePlan(n.Type, p, clock.Now(app)); {
	case plan.MailMode != MailNow: // unsubscribed meanwhile
		return nil
	case plan.Live && s.IsOnline(n.User): // and has been sent it there
		return nil
	}
	text, err := n.sentence(app)
	if err != nil {
		return err
	}
	token, err := mail.UnsubscribeToken(app, n.User, n.Type)
	if err != nil {
		return err
	}
	email := &mail.Email{
		To: n.Email, Locale: n.Locale, Subject: text, Unsubscribe: token,
		MessageID: fmt.Sprintf("%s.%d", n.ID, cause.At.UnixMilli()),
		Sections:  []mail.Section{{Items: []mail.Item{{Text: text, Quote: n.quotedText()}}, URL: n.linkURL(app)}},
	}
	left, err := s.sendEmail(ctx, app, n.Type, n.User, email)
	if err != nil {
		return fmt.Errorf("mail notification %s: %w", n.ID, err)
	}
	if !left {
		return nil
	}
	_, err = db.Exec(app, `UPDATE notifications SET mailedAt = {:now} WHERE id = {:id}`, db.Params{"id": n.ID, "now": clock.Timestamp(app)})
	if err != nil {
		app.Logger().Error("mail not noted", "notification", n.ID, "err", err) // not returned: the mail has left
	}
	return nil
}

type digestPayload struct {
	User string
	Due  time.Time
}

// maxDigestItems is how many notifications a digest names at most.
const maxDigestItems = 50

// mailDigest mails what its recipient has not seen yet, grouped by post.
func (s *Service) mailDigest(ctx context.Context, app core.App, j *job.Job) error {
	var p digestPayload
	if err := j.ReadPayload(&p); err != nil {
		return err
	}
	notifications, err := findDigest(app, p.User)
	if err != nil || len(notifications) == 0 {
		return err
	}
	who := notifications[0].recipientRow
	words, brand := phrases.WordsFor(who.Locale), app.Settings().Meta.AppName
	subject := words.Translate("digest.1", "app", brand)
	if len(notifications) > 1 {
		subject = words.Translate("digest.n", "n", fmt.Sprint(len(notifications)), "app", brand)
	}
	token, err := mail.UnsubscribeToken(app, who.User, mail.DigestScope)
	if err != nil {
		return err
	}
	email := &mail.Email{
		To: who.Email, Locale: who.Locale, Subject: subject, Unsubscribe: token,
		MessageID: fmt.Sprintf("digest.%s.%d", who.User, p.Due.Unix()),
	}
	at, newest := map[string]int{}, "" // at is the index of a post's section
	for _, n := range notifications {
		newest = max(newest, n.LatestAt)
		text, err := n.sentence(app)
		if err != nil {
			return err
		}
		i, known := at[n.Post]
		if !known {
			i = len(email.Sections)
			at[n.Post] = i
			section := mail.Section{URL: n.linkURL(app)}
			if n.Caption != "" {
				section.Title = words.Translate("post", "caption", phrases.ShortLine(n.Caption, 60))
			}
			email.Sections = append(email.Sections, section)
		}
		email.Sections[i].Items = append(email.Sections[i].Items, mail.Item{Text: text, Quote: n.quotedText()})
	}
	left, err := s.sendEmail(ctx, app, mail.DigestScope, who.User, email)
	if err != nil {
		return fmt.Errorf("mail the digest of %s: %w", who.User, err)
	}
	if !left {
		return nil
	}
	_, err = db.Exec(app, `UPDATE settings SET digestedAt = {:now} WHERE user = {:u}`, db.Params{"u": who.User, "now": newest})
	if err != nil {
		app.Logger().Error("digest not noted", "account", who.User, "err", err) // not returned: the mail has left
	}
	return nil
}

// findDigest returns the notifications of a user's next digest, newest first.
func findDigest(app core.App, user string) ([]*Notification, error) {
	var rows []*Notification
	err := db.QueryAll(app, &rows, `SELECT `+notificationColumns+notificationTables+`WHERE n.recipient = {:u} AND n.read = 0
			AND n.latestAt > max(coalesce(s.seenAt, ''), coalesce(s.digestedAt, ''))`+notMutedCondition+` ORDER BY n.latestAt DESC LIMIT {:most}`,
		db.Params{"u": user, "most": maxDigestItems, "now": clock.Timestamp(app)})
	if err != nil {
		return nil, fmt.Errorf("read the digest of %s: %w", user, err)
	}
	var notifications []*Notification
	for _, n := range rows {
		p := n.Recipient()
		p.Follows = true // otherwise it would not have been listed
		if n.isMailable() && DecidePlan(n.Type, p, clock.Now(app)).MailMode == MailDigest {
			notifications = append(notifications, n)
		}
	}
	return notifications, nil
}

// deliverEmail sends an email that is ready.
func (s *Service) deliverEmail(ctx context.Context, app core.App, j *job.Job) error {
	var email mail.Email
	if err := j.ReadPayload(&email); err != nil {
		return err
	}
	if email.MessageID == "" {
		email.MessageID = j.ID
	}
	_, err := s.sendEmail(ctx, app, "letter", "", &email)
	return err
}

// sendEmail hands an email to the mail server and reports whether the server took it. It returns false and no error
// when the app's owner dropped it, or when the address does not exist, which it records.
func (s *Service) sendEmail(ctx context.Context, app core.App, kind, user string, email *mail.Email) (left bool, err error) {
	m, err := email.MailerMessage(app)
	if err != nil {
		return false, job.Bury(err)
	}
	if wanted, err := s.BeforeMail(app, kind, user, m); err != nil || !wanted {
		return false, err
	}
	err = s.Mails.Send(ctx, app, m)
	if errors.Is(err, mail.ErrBounced) {
		return false, RecordBounce(app, user, email.To, err)
	}
	return err == nil, err
}

// RecordBounce records that mail to a user's address bounced: nothing more is mailed there until the address is
// changed.
func RecordBounce(app core.App, user, address string, reason error) error {
	app.Logger().Warn("mail bounced", "account", user, "err", reason)
	_, err := db.Exec(app, `UPDATE settings SET bounced = {:address} WHERE user = {:u}`, db.Params{"u": user, "address": address})
	if err != nil {
		return fmt.Errorf("remember that mail to %s came back: %w", user, err)
	}
	return nil
}
