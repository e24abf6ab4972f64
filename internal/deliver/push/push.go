// Package push is what all channels to a person's devices have in common: a message, a device, and the errors of an
// attempt.
package push

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/job"
)

// TTL is how long a message is worth delivering.
const TTL = 24 * time.Hour

// ErrDeviceGone says that a device will never be reached again: its row can be deleted.
var ErrDeviceGone = errors.New("device gone")

// ErrNoAnswer says that nobody answered for a device, or answered only with a server error.
var ErrNoAnswer = errors.New("no answer")

// Channel reaches devices of one kind. The error of Push is ErrDeviceGone, or says what the job should do.
type Channel interface {
	Push(ctx context.Context, d *Device, m *Message) error
}

// Device is a row of devices.
type Device struct {
	ID       string `db:"id"`
	User     string `db:"user"`
	Kind     string `db:"kind"`
	Endpoint string `db:"endpoint"` // the URL of a browser's push service, or the token of a phone
	Keys     string `db:"keys"`     // JSON; for a browser {p256dh, auth}

	AnsweredAt   string `db:"answeredAt"`   // when it last took a message; empty for never
	FailingSince string `db:"failingSince"` // when it first did not answer since then; empty while it answers
}

// Host returns the host that a message to the device is sent to if a stranger chose it, else "".
func (d *Device) Host() string {
	if address, err := url.Parse(d.Endpoint); d.Kind == "webpush" && err == nil {
		return strings.ToLower(address.Hostname())
	}
	return ""
}

// Message is what a device shows. A browser's service worker gets it as JSON.
type Message struct {
	Title        string    `json:"title"`
	Body         string    `json:"body"`
	URL          string    `json:"url"`
	Type         string    `json:"type"`
	Notification string    `json:"notification"`
	Tag          string    `json:"tag"` // a later message with the same tag replaces this one
	Badge        int       `json:"badge"`
	At           time.Time `json:"at"`
	Urgent       bool      `json:"-"`
}

// ErrorForResponse returns what a push service's answer means for the job: nil, ErrDeviceGone for the statuses in
// gone, ErrNoAnswer, or an error that has the job snoozed, tried again or buried.
func ErrorForResponse(answer *outbound.Response, gone ...int) error {
	switch status := answer.Status; {
	case status >= 200 && status < 300:
		return nil
	case slices.Contains(gone, status):
		return ErrDeviceGone
	case (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && answer.RetryAfter > 0:
		return fmt.Errorf("status %d: %w", status, job.Snooze(answer.RetryAfter))
	case status >= 500:
		return fmt.Errorf("%w: status %d", ErrNoAnswer, status)
	case status == http.StatusTooManyRequests:
		return fmt.Errorf("status %d", status)
	default: // the same message will not be accepted later either
		return job.Bury(fmt.Errorf("status %d: %.200s", status, answer.Body))
	}
}

// ErrorForFailure says what it means for the job that nobody could be asked. An address that is not allowed is a device's fault only
// where the device has named it: those of Apple's and Google's services are the operator's.
func ErrorForFailure(err error, rest time.Duration) error {
	switch {
	case errors.Is(err, outbound.ErrCircuitOpen):
		return fmt.Errorf("%w: %w", job.Snooze(rest), err)
	case errors.Is(err, context.Canceled): // we are stopping
		return err
	}
	return fmt.Errorf("%w: %w", ErrNoAnswer, err)
}

// EncodeWithin encodes a message, with its body cut so that the result has at most most bytes.
func EncodeWithin(m *Message, most int, encode func(*Message) ([]byte, error)) ([]byte, error) {
	short := *m
	for {
		text, err := encode(&short)
		if err != nil || len(text) <= most {
			return text, err
		}
		if short.Body == "" {
			return nil, fmt.Errorf("a message of %d bytes is too long", len(text))
		}
		short.Body = cutText(short.Body, len(short.Body)*most/len(text)-len("…"))
	}
}

// cutText cuts text after at most n bytes, between characters, and adds "…"; with n <= 0 it returns "".
func cutText(text string, n int) string {
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	if n <= 0 {
		return ""
	}
	return text[:n] + "…"
}
