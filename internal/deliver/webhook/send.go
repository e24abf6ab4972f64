package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/job"
)

const (
	deliveryTimeout       = 72 * time.Hour     // a delivery is given up after this time
	disableAfter          = 5 * 24 * time.Hour // a webhook that does nothing but fail is disabled after this time
	disabledRetryInterval = time.Hour          // how long deliveries to a disabled webhook wait until they are looked at again
)

type endpoint struct {
	ID           string `db:"id"`
	URL          string `db:"url"`
	Secret       string `db:"secret"`
	FormerSecret string `db:"formerSecret"`
	FormerUntil  string `db:"formerUntil"`
	Contact      string `db:"contact"`
	Disabled     bool   `db:"disabled"`
}

// errUnsubscribed says that a receiver wants no more events.
var errUnsubscribed = errors.New("status 410: it wants no more events")

// handlerFor returns the handler of one webhook's jobs.
func (w *Webhooks) handlerFor(id string) job.Handler {
	return func(ctx context.Context, app core.App, j *job.Job) error {
		var d Delivery
		if err := j.ReadPayload(&d); err != nil {
			return err
		}
		var e endpoint
		found, err := db.QueryOne(app, &e, `SELECT id, url, secret, formerSecret, formerUntil, contact, disabled FROM webhooks WHERE id = {:id}`, db.Params{"id": id})
		if err != nil || !found { // deleted: nobody waits for it
			return err
		}
		if clock.Now(app).Sub(d.Since) > deliveryTimeout {
			err := fmt.Errorf("gave up after %v", deliveryTimeout)
			w.recordAttempt(app, &e, &d, "dead", 0, 0, err)
			return job.Bury(fmt.Errorf("webhook %s: %s: %w", e.ID, d.Event, err))
		}
		if e.Disabled {
			return job.Snooze(disabledRetryInterval)
		}
		if w.BeforeSend != nil {
			if wanted, err := w.BeforeSend(app, e.ID, &d); err != nil || !wanted {
				return err
			}
		}
		return w.attemptDelivery(ctx, app, &e, &d)
	}
}

func (w *Webhooks) attemptDelivery(ctx context.Context, app core.App, e *endpoint, d *Delivery) error {
	began := time.Now()
	answer, err := w.sendRequest(ctx, app, e, d)
	status, wait := 0, time.Duration(0)
	if answer != nil {
		status, wait = answer.Status, answer.RetryAfter
	}
	switch {
	case ctx.Err() != nil: // we are stopping
		return ctx.Err()
	case errors.Is(err, outbound.ErrCircuitOpen):
		return job.Snooze(outbound.ClientOf(app).BreakerTimeout) // nothing was tried
	case err == nil && status >= 200 && status < 300:
		w.recordAttempt(app, e, d, "delivered", status, time.Since(began), nil)
		return nil
	case err == nil && status == http.StatusGone:
		err = errUnsubscribed
	case err == nil:
		err = fmt.Errorf("status %d", status)
	}
	if errors.Is(err, outbound.ErrForbidden) || errors.Is(err, errUnsubscribed) {
		w.recordAttempt(app, e, d, "dead", status, time.Since(began), err)
		if errors.Is(err, errUnsubscribed) {
			w.disableWebhook(app, e, err.Error())
		}
		return job.Bury(fmt.Errorf("webhook %s: %w", e.ID, err))
	}
	w.recordAttempt(app, e, d, "failing", status, time.Since(began), err)
	if wait > 0 && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) {
		return job.Snooze(min(wait, time.Hour))
	}
	return fmt.Errorf("webhook %s: %w", e.ID, err)
}

func (w *Webhooks) sendRequest(ctx context.Context, app core.App, e *endpoint, d *Delivery) (*outbound.Response, error) {
	secrets := []string{e.Secret}
	if e.FormerSecret != "" && clock.Timestamp(app) < e.FormerUntil {
		secrets = append(secrets, e.FormerSecret)
	}
	at := time.Now() // the real time, since the receiver compares it with its own clock
	signature, err := signBody(d.Event, at, []byte(d.Body), secrets...)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader([]byte(d.Body)))
	if err != nil {
		return nil, fmt.Errorf("%w: it is no URL", outbound.ErrForbidden)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Doubletap-Webhooks/1")
	request.Header.Set("webhook-id", d.Event)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("webhook-signature", signature)
	return outbound.ClientOf(app).Do(request)
}

// recordAttempt writes the log of a delivery, and whether its webhook works. An error is only logged: it does not undo
// what was sent.
func (w *Webhooks) recordAttempt(app core.App, e *endpoint, d *Delivery, state string, status int, took time.Duration, failure error) {
	reason := ""
	if failure != nil {
		reason = fmt.Sprintf("%.1000s", failure)
	}
	now := clock.Now(app)
	err := app.RunInTransaction(func(tx core.App) error {
		p := db.Params{"id": core.GenerateDefaultRandomId(), "w": e.ID, "event": d.Event, "type": d.Type, "body": d.Body, "state": state,
			"status": status, "error": reason, "ms": took.Milliseconds(), "now": clock.FormatTime(now)}
		const try = `json_object('at', {:now}, 'status', {:status}, 'ms', {:ms}, 'error', {:error})`
		_, err := db.Exec(tx, `INSERT INTO webhook_deliveries (id, webhook, event, type, state, body, attempts, status, error, created, updated)
			VALUES ({:id}, {:w}, {:event}, {:type}, {:state}, {:body}, json_array(`+try+`), {:status}, {:error}, {:now}, {:now})
			ON CONFLICT (webhook, event) DO UPDATE SET state = {:state}, status = {:status}, error = {:error}, updated = {:now},
				attempts = json_insert(iif(json_array_length(attempts) < 200, attempts, json_remove(attempts, '$[0]')), '$[#]', `+try+`)`, p)
		if err != nil {
			return err
		}
		if state == "delivered" {
			_, err = db.Exec(tx, `UPDATE webhooks SET failingSince = '' WHERE id = {:w} AND failingSince != ''`, p)
			return err
		}
		_, err = db.Exec(tx, `UPDATE webhooks SET failingSince = {:now} WHERE id = {:w} AND failingSince = ''`, p)
		return err
	})
	if err != nil {
		app.Logger().Error("webhook delivery not noted", "webhook", e.ID, "event", d.Event, "state", state, "err", err)
		return
	}
	if state == "delivered" {
		return
	}
	var since string
	found, err := db.QueryValue(app, &since, `SELECT failingSince FROM webhooks WHERE id = {:id}`, db.Params{"id": e.ID})
	if err == nil && found && since != "" && since < clock.FormatTime(now.Add(-disableAfter)) {
		w.disableWebhook(app, e, fmt.Sprintf("failing since %s: %s", since, reason))
	}
}

// disableWebhook stops deliveries to a webhook until somebody enables it again, and calls OnDisabled.
func (w *Webhooks) disableWebhook(app core.App, e *endpoint, reason string) {
	err := app.RunInTransaction(func(tx core.App) error {
		n, err := db.Exec(tx, `UPDATE webhooks SET disabled = 1, reason = {:reason}, updated = {:now} WHERE id = {:id} AND NOT disabled`,
			db.Params{"id": e.ID, "reason": fmt.Sprintf("%.1000s", reason), "now": clock.Timestamp(tx)})
		if err != nil || n == 0 || w.OnDisabled == nil {
			return err
		}
		return w.OnDisabled(tx, e.URL, e.Contact, reason)
	})
	w.InvalidateCache()
	app.Logger().Error("webhook disabled", "webhook", e.ID, "reason", reason, "err", err)
}
