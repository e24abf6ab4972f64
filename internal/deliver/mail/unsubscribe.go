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

	"github.com/doubletap/doubletap/internal/deliver/secret"
)

// DigestScope is the scope of a token that ends the digests. Any other scope is a type of notification.
const DigestScope = "digest"

// ErrInvalidToken says that a token is not one of ours.
var ErrInvalidToken = errors.New("not a token of ours")

// PrepareKey creates the key of the tokens, so that no GET ever has to.
func PrepareKey(app core.App) error {
	_, err := tokenKey(app)
	return err
}

func tokenKey(app core.App) ([]byte, error) {
	text, err := secret.FindOrCreate(app, "unsubscribe", func() (string, error) { return security.RandomString(43), nil })
	return []byte(text), err
}

// UnsubscribeToken returns a token with which anybody can end a user's mails of one scope. It does not expire: people
// keep mails for years.
func UnsubscribeToken(app core.App, user, scope string) (string, error) {
	k, err := tokenKey(app)
	if err != nil {
		return "", fmt.Errorf("sign an unsubscribe link: %w", err)
	}
	return user + "." + scope + "." + signToken(k, user, scope), nil
}

// ParseToken returns the user and the scope of the mails that a token ends, or ErrInvalidToken.
func ParseToken(app core.App, token string) (user, scope string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", ErrInvalidToken
	}
	k, err := tokenKey(app)
	if err != nil {
		return "", "", fmt.Errorf("read an unsubscribe link: %w", err)
	}
	if !hmac.Equal([]byte(parts[2]), []byte(signToken(k, parts[0], parts[1]))) {
		return "", "", ErrInvalidToken
	}
	return parts[0], parts[1], nil
}

func signToken(key []byte, user, scope string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("unsubscribe|" + user + "|" + scope))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
