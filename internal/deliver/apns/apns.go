// Package apns reaches Apple's phones through the Apple Push Notification service.
package apns

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/sideshow/apns2" // headers, reasons and tokens of Apple's protocol
	"github.com/sideshow/apns2/token"

	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/job"
)

// Config is what Apple gives a developer.
type Config struct {
	KeyFile     string // the .p8 file
	KeyID, Team string
	Topic       string // the app's bundle id
	Host        string // Apple's production servers when empty
}

// FromEnvironment reads DOUBLETAP_APNS_KEY, which names a file, _KEY_ID, _TEAM, _TOPIC and _HOST.
func FromEnvironment() Config {
	return Config{
		KeyFile: os.Getenv("DOUBLETAP_APNS_KEY"), KeyID: os.Getenv("DOUBLETAP_APNS_KEY_ID"), Team: os.Getenv("DOUBLETAP_APNS_TEAM"),
		Topic: os.Getenv("DOUBLETAP_APNS_TOPIC"), Host: os.Getenv("DOUBLETAP_APNS_HOST"),
	}
}

// Channel sends messages to Apple's phones.
type Channel struct {
	app            core.App
	client         *apns2.Client
	topic          string
	breakerTimeout time.Duration
}

// New returns the channel of app, or nil when config names no key.
func New(app core.App, config Config) (*Channel, error) {
	if config.KeyFile == "" {
		return nil, nil
	}
	key, err := token.AuthKeyFromFile(config.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read the key of APNs from %s: %w", config.KeyFile, err)
	}
	if config.KeyID == "" || config.Team == "" || config.Topic == "" {
		return nil, fmt.Errorf("the key of APNs needs its id, its team and a topic")
	}
	client := apns2.NewTokenClient(&token.Token{AuthKey: key, KeyID: config.KeyID, TeamID: config.Team})
	client.Host = cmp.Or(config.Host, apns2.HostProduction)
	client.HTTPClient = outbound.ClientOf(app).HTTPClient()
	return &Channel{app: app, client: client, topic: config.Topic, breakerTimeout: outbound.ClientOf(app).BreakerTimeout}, nil
}

// goneReasons are Apple's reasons after which a token will never work again.
var goneReasons = []string{apns2.ReasonUnregistered, apns2.ReasonExpiredToken, apns2.ReasonBadDeviceToken, apns2.ReasonDeviceTokenNotForTopic}

// maxPayloadBytes is how long Apple lets a notification be.
const maxPayloadBytes = 4096

// Push sends a message to one phone.
func (c *Channel) Push(ctx context.Context, d *push.Device, m *push.Message) error {
	if push.CheckEndpoint(nil, "apns", push.NormalizeEndpoint("apns", d.Endpoint)) != nil { // a stranger chose it, and it becomes a part of a path
		return fmt.Errorf("push to phone %s: it has no token: %w", d.ID, push.ErrDeviceGone)
	}
	body, err := push.EncodeWithin(m, maxPayloadBytes, encodePayload)
	if err != nil {
		return job.Bury(fmt.Errorf("push to phone %s: %w", d.ID, err))
	}
	n := &apns2.Notification{
		DeviceToken: d.Endpoint, Topic: c.topic, CollapseID: m.Tag, PushType: apns2.PushTypeAlert,
		Priority: apns2.PriorityLow, Expiration: time.Now().Add(push.TTL), Payload: body,
	}
	if m.Urgent {
		n.Priority = apns2.PriorityHigh
	}
	answer, err := c.client.PushWithContext(ctx, n)
	switch {
	case err != nil:
		err = push.ErrorForFailure(err, c.breakerTimeout)
	case answer.Sent():
		return nil
	case answer.StatusCode == http.StatusGone || slices.Contains(goneReasons, answer.Reason):
		err = push.ErrDeviceGone
	case answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500 || answer.Reason == apns2.ReasonExpiredProviderToken:
		err = fmt.Errorf("status %d, %s", answer.StatusCode, answer.Reason)
	default:
		err = job.Bury(fmt.Errorf("status %d, %s", answer.StatusCode, answer.Reason))
	}
	return fmt.Errorf("push to phone %s: %w", d.ID, err)
}

func encodePayload(m *push.Message) ([]byte, error) {
	type alert struct {
		Title string `json:"title"`
		Body  string `json:"body"`
	}
	type aps struct {
		Alert  alert  `json:"alert"`
		Badge  int    `json:"badge"`
		Thread string `json:"thread-id"`
		Sound  string `json:"sound,omitempty"`
	}
	content := struct {
		APS          aps    `json:"aps"`
		URL          string `json:"url"`
		Type         string `json:"type"`
		Notification string `json:"notification"`
	}{APS: aps{Alert: alert{m.Title, m.Body}, Badge: m.Badge, Thread: m.Tag}, URL: m.URL, Type: m.Type, Notification: m.Notification}
	if m.Urgent {
		content.APS.Sound = "default"
	}
	return json.Marshal(content)
}
