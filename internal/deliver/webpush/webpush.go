// Package webpush reaches browsers. Their vendors' push services carry messages that nobody but the browser can read
// (RFC 8030, 8291, 8292).
package webpush

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/SherClockHolmes/webpush-go" // encryption and VAPID
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/deliver/secret"
	"github.com/doubletap/doubletap/internal/job"
)

// Channel sends messages to browsers.
type Channel struct {
	app             core.App
	client          *outbound.Client
	public, private string
}

// New returns the channel of app with its VAPID keys. They are made at the first call and stored, since each browser's
// subscription is bound to them. It needs the database.
func New(app core.App) (*Channel, error) {
	pair, err := secret.FindOrCreate(app, "vapid", func() (string, error) {
		private, public, err := webpush.GenerateVAPIDKeys()
		return private + " " + public, err
	})
	if err != nil {
		return nil, err
	}
	private, public, _ := strings.Cut(pair, " ")
	return &Channel{app: app, client: outbound.ClientOf(app), public: public, private: private}, nil
}

// PublicKey returns the key that a browser needs to subscribe, in base64url.
func (c *Channel) PublicKey() string { return c.public }

// Push sends a message to one browser.
func (c *Channel) Push(ctx context.Context, d *push.Device, m *push.Message) error {
	var keys webpush.Keys
	if err := json.Unmarshal([]byte(d.Keys), &keys); err != nil || keys.Auth == "" || keys.P256dh == "" {
		return fmt.Errorf("push to browser %s: it has no keys: %w", d.ID, push.ErrDeviceGone)
	}
	body, err := push.EncodeWithin(m, maxMessageBytes, func(m *push.Message) ([]byte, error) { return json.Marshal(m) })
	if err != nil {
		return job.Bury(fmt.Errorf("push to browser %s: %w", d.ID, err))
	}
	urgency := webpush.UrgencyNormal
	if m.Urgent {
		urgency = webpush.UrgencyHigh
	}
	recorder := &recordingClient{client: c.client}
	_, err = webpush.SendNotificationWithContext(ctx, body, &webpush.Subscription{Endpoint: d.Endpoint, Keys: keys}, &webpush.Options{ //nolint:bodyclose // recordingClient answers without a body
		HTTPClient:      recorder,
		RecordSize:      paddedSize(len(body)),
		Subscriber:      c.contactAddress(),
		Topic:           m.Tag,
		TTL:             int(push.TTL.Seconds()),
		Urgency:         urgency,
		VAPIDPublicKey:  c.public,
		VAPIDPrivateKey: c.private,
	})
	switch {
	case !recorder.asked: // the device's keys or its address are invalid
		return fmt.Errorf("push to browser %s: %w: %w", d.ID, push.ErrDeviceGone, err)
	case errors.Is(err, outbound.ErrForbidden): // the device has named the address
		err = fmt.Errorf("%w: %w", push.ErrDeviceGone, err)
	case err != nil:
		err = push.ErrorForFailure(err, c.client.BreakerTimeout)
	default:
		err = push.ErrorForResponse(recorder.answer, http.StatusNotFound, http.StatusGone)
	}
	if err != nil {
		return fmt.Errorf("push to browser %s: %w", d.ID, err)
	}
	return nil
}

// contactAddress returns where a push service may write to about us.
func (c *Channel) contactAddress() string {
	meta := c.app.Settings().Meta
	if meta.SenderAddress != "" {
		return meta.SenderAddress
	}
	return meta.AppURL
}

// encryptionOverhead is how many bytes encryption adds to a message: its header, the end of the padding, and the tag.
const encryptionOverhead = 86 + 1 + 16

const maxMessageBytes = 4096 - encryptionOverhead

// paddedSize returns the size to which a message of length bytes is padded: a few sizes reveal little, and always the
// largest would cost 4 KB for every push.
func paddedSize(length int) uint32 {
	for _, size := range []int{512, 1024, 2048} {
		if length+encryptionOverhead <= size {
			return uint32(size)
		}
	}
	return webpush.MaxRecordSize
}

// recordingClient lets the library use the guarded client, and remembers the answer.
type recordingClient struct {
	client *outbound.Client
	asked  bool
	answer *outbound.Response
}

func (r *recordingClient) Do(request *http.Request) (_ *http.Response, err error) {
	r.asked = true
	if r.answer, err = r.client.Do(request); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: r.answer.Status, Header: r.answer.Header, Body: http.NoBody}, nil
}
