// Package fcm reaches Android's phones, and others that use it, through Firebase Cloud Messaging's HTTP v1.
package fcm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt" // a service account's tokens; Google's own client would bring 670 packages for one POST

	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/job"
)

// Config says where the service account is.
type Config struct {
	CredentialsFile string // the JSON that Firebase's console gives
	Host            string // Google's servers when empty
}

// FromEnvironment reads DOUBLETAP_FCM_CREDENTIALS, which names a file, and _HOST.
func FromEnvironment() Config {
	return Config{CredentialsFile: os.Getenv("DOUBLETAP_FCM_CREDENTIALS"), Host: os.Getenv("DOUBLETAP_FCM_HOST")}
}

// Channel sends messages to phones.
type Channel struct {
	client  *outbound.Client
	tokens  oauth2.TokenSource
	sendURL string
}

// New returns the channel of app, or nil when config names no credentials.
func New(app core.App, config Config) (*Channel, error) {
	if config.CredentialsFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(config.CredentialsFile)
	if err != nil {
		return nil, fmt.Errorf("read the credentials of FCM: %w", err)
	}
	var account struct {
		Project  string `json:"project_id"`
		Email    string `json:"client_email"`
		Key      string `json:"private_key"`
		KeyID    string `json:"private_key_id"`
		TokenURL string `json:"token_uri"`
	}
	if err := json.Unmarshal(text, &account); err != nil {
		return nil, fmt.Errorf("read the credentials of FCM from %s: %w", config.CredentialsFile, err)
	}
	if account.Project == "" || account.Email == "" || account.Key == "" {
		return nil, fmt.Errorf("read the credentials of FCM from %s: they are not those of a service account", config.CredentialsFile)
	}
	client := outbound.ClientOf(app)
	login := &jwt.Config{
		Email: account.Email, PrivateKey: []byte(account.Key), PrivateKeyID: account.KeyID,
		TokenURL: cmp.Or(account.TokenURL, "https://oauth2.googleapis.com/token"),
		Scopes:   []string{"https://www.googleapis.com/auth/firebase.messaging"},
	}
	return &Channel{
		client:  client,
		tokens:  login.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, client.HTTPClient())),
		sendURL: cmp.Or(config.Host, "https://fcm.googleapis.com") + "/v1/projects/" + url.PathEscape(account.Project) + "/messages:send",
	}, nil
}

// maxPayloadBytes is how long Firebase lets a message be.
const maxPayloadBytes = 4096

// Push sends a message to one phone.
func (c *Channel) Push(ctx context.Context, d *push.Device, m *push.Message) error {
	err := c.sendMessage(ctx, d, m)
	if err != nil {
		return fmt.Errorf("push to phone %s: %w", d.ID, err)
	}
	return nil
}

func (c *Channel) sendMessage(ctx context.Context, d *push.Device, m *push.Message) error {
	body, err := push.EncodeWithin(m, maxPayloadBytes, func(m *push.Message) ([]byte, error) { return encodePayload(d.Endpoint, m) })
	if err != nil {
		return job.Bury(err)
	}
	token, err := c.tokens.Token()
	if err != nil {
		return redactTokenError(push.ErrorForFailure(err, c.client.BreakerTimeout))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.sendURL, bytes.NewReader(body))
	if err != nil {
		return job.Bury(err)
	}
	request.Header.Set("Content-Type", "application/json")
	token.SetAuthHeader(request)
	answer, err := c.client.Do(request)
	if err != nil {
		return push.ErrorForFailure(err, c.client.BreakerTimeout)
	}
	switch errorCodeOf(answer) {
	case "UNREGISTERED", "SENDER_ID_MISMATCH":
		return push.ErrDeviceGone
	}
	if answer.Status == http.StatusUnauthorized { // the next token may be a better one
		return fmt.Errorf("status %d", answer.Status)
	}
	return push.ErrorForResponse(answer)
}

// redactTokenError keeps a token server's answer, which may repeat what it was sent, out of the job's error.
func redactTokenError(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil {
		return fmt.Errorf("get a token: status %d", refused.Response.StatusCode)
	}
	return fmt.Errorf("get a token: %w", err)
}

// errorCodeOf returns Firebase's own code of what is wrong, or "".
func errorCodeOf(answer *outbound.Response) string {
	var body struct {
		Error struct {
			Details []struct {
				Code string `json:"errorCode"`
			} `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal(answer.Body, &body) == nil {
		for _, detail := range body.Error.Details {
			if detail.Code != "" {
				return detail.Code
			}
		}
	}
	return ""
}

func encodePayload(token string, m *push.Message) ([]byte, error) {
	type object = map[string]any
	priority, apple := "NORMAL", "5"
	if m.Urgent {
		priority, apple = "HIGH", "10"
	}
	return json.Marshal(object{"message": object{
		"token":        token,
		"notification": object{"title": m.Title, "body": m.Body},
		"data":         object{"url": m.URL, "type": m.Type, "notification": m.Notification},
		"android": object{
			"collapse_key": m.Tag, "priority": priority, "ttl": fmt.Sprintf("%ds", int(push.TTL/time.Second)),
			"notification": object{"tag": m.Tag},
		},
		"apns": object{"headers": object{"apns-collapse-id": m.Tag, "apns-priority": apple}},
	}})
}
