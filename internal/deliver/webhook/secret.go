package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go" // the signature, as every receiver's library checks it

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// NewSecret returns a new secret for signatures, in the form that receivers' libraries take.
func NewSecret() string {
	key := make([]byte, 24)
	_, _ = rand.Read(key) // it never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// IsValidSecret reports whether receivers' libraries take the secret.
func IsValidSecret(secret string) bool {
	text, marked := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	return marked && err == nil && len(key) >= 24 && len(key) <= 64
}

// RotateSecret gives a webhook a new secret and returns it. During overlap, deliveries are signed with the former
// secret, too, so that the receiver can change over without losing any.
func RotateSecret(app core.App, webhook string, overlap time.Duration) (string, error) {
	secret := NewSecret()
	now := clock.Now(app)
	n, err := db.Exec(app, `UPDATE webhooks SET formerSecret = secret, formerUntil = {:until}, secret = {:secret}, updated = {:now} WHERE id = {:id}`,
		db.Params{"id": webhook, "secret": secret, "until": clock.FormatTime(now.Add(overlap)), "now": clock.FormatTime(now)})
	if err != nil {
		return "", fmt.Errorf("rotate the secret of webhook %s: %w", webhook, err)
	}
	if n == 0 {
		return "", fmt.Errorf("rotate the secret of webhook %s: not found", webhook)
	}
	return secret, nil
}

// signBody returns the header with one signature for each secret.
func signBody(event string, at time.Time, body []byte, secrets ...string) (string, error) {
	var signatures []string
	for _, secret := range secrets {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return "", fmt.Errorf("read the secret: it is not whsec_ and base64") // without the secret itself
		}
		signature, err := signer.Sign(event, at, body)
		if err != nil {
			return "", fmt.Errorf("sign: %w", err)
		}
		signatures = append(signatures, signature)
	}
	return strings.Join(signatures, " "), nil
}
