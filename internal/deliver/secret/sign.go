package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
)

// LinkSigner signs what a link says, so that whoever has the link needs no account.
type LinkSigner struct {
	Key  string // the name of the secret that it signs with
	Kind string // of links; a signature is good for no other
}

// PrepareKey makes the key at the start, so that no GET has to write it.
func (s LinkSigner) PrepareKey(app core.App) error {
	_, err := s.signingKey(app)
	return err
}

func (s LinkSigner) signingKey(app core.App) ([]byte, error) {
	text, err := FindOrCreate(app, s.Key, func() (string, error) { return security.RandomString(43), nil })
	return []byte(text), err
}

// Sign returns the signature of what a link says, in parts of which none contains a |.
func (s LinkSigner) Sign(app core.App, parts ...string) (string, error) {
	key, err := s.signingKey(app)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(s.Kind + "|" + strings.Join(parts, "|")))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// IsSignature reports whether the signature is the one of these parts.
func (s LinkSigner) IsSignature(app core.App, signature string, parts ...string) (bool, error) {
	want, err := s.Sign(app, parts...)
	return err == nil && hmac.Equal([]byte(signature), []byte(want)), err
}
