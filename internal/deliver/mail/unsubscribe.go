package mail

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"doubletap/internal/deliver/secret"
)

// Digest is the scope of a token that ends the digests; any other scope is a type of notification.
const Digest = "digest"

// ErrToken tells that a token is none of ours.
var ErrToken = errors.New("not a token of ours")

// Prepare makes the key of the tokens, so that no GET ever has to.
func Prepare(app core.App) error {
	_, err := key(app)
	return err
}

func key(app core.App) ([]byte, error) {
	text, err := secret.Of(app, "unsubscribe", func() (string, error) { return security.RandomString(43), nil })
	return []byte(text), err
}

// Token lets whoever has it end a user's mails of one scope. It does not expire: mails are kept for years.
func Token(app core.App, user, scope string) (string, error) {
	k, err := key(app)
	if err != nil {
		return "", fmt.Errorf("sign an unsubscribe link: %w", err)
	}
	return user + "." + scope + "." + sign(k, user, scope), nil
}

// Read returns whose mails of what scope a token ends, or ErrToken.
func Read(app core.App, token string) (user, scope string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", ErrToken
	}
	k, err := key(app)
	if err != nil {
		return "", "", fmt.Errorf("read an unsubscribe link: %w", err)
	}
	if !hmac.Equal([]byte(parts[2]), []byte(sign(k, parts[0], parts[1]))) {
		return "", "", ErrToken
	}
	return parts[0], parts[1], nil
}

func sign(key []byte, user, scope string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("unsubscribe|" + user + "|" + scope))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
