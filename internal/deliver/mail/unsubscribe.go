package mail

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/deliver/secret"
)

// DigestScope is the scope of a token that ends the digests. Any other scope is a type of notification.
const DigestScope = "digest"

// ErrInvalidToken says that a token is not one of ours.
var ErrInvalidToken = errors.New("not a token of ours")

// UnsubscribeLinks signs the tokens of the links that end mails.
var UnsubscribeLinks = secret.LinkSigner{Key: "unsubscribe", Kind: "unsubscribe"}

// UnsubscribeToken returns a token with which anybody can end a user's mails of one scope. It does not expire: people
// keep mails for years.
func UnsubscribeToken(app core.App, user, scope string) (string, error) {
	signature, err := UnsubscribeLinks.Sign(app, user, scope)
	if err != nil {
		return "", fmt.Errorf("sign an unsubscribe link: %w", err)
	}
	return user + "." + scope + "." + signature, nil
}

// ParseToken returns the user and the scope of the mails that a token ends, or ErrInvalidToken.
func ParseToken(app core.App, token string) (user, scope string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", ErrInvalidToken
	}
	signed, err := UnsubscribeLinks.IsSignature(app, parts[2], parts[0], parts[1])
	if err != nil {
		return "", "", fmt.Errorf("read an unsubscribe link: %w", err)
	}
	if !signed {
		return "", "", ErrInvalidToken
	}
	return parts[0], parts[1], nil
}
