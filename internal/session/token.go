package session

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
)

// Claim is the claim of a token, or a file token, that names its session.
const Claim = "dt_session"

// IDOfToken returns the id of the session that a token without the claim gets: always the same one, so that a client that
// forgets what a refresh gave it does not sign its person out of others.
func IDOfToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return strings.ToLower(base32.HexEncoding.EncodeToString(sum[:])[:core.DefaultIdLength])
}

// callerKey is the key under which who sends a token keeps their session. PocketBase never shows custom data under this
// prefix.
const callerKey = "@pbInternalDoubletapSession"

// Of returns the session in which the caller came, or empty.
func Of(caller *core.Record) string {
	if caller == nil {
		return ""
	}
	id, _ := caller.GetRaw(callerKey).(string)
	return id
}

// ClaimOf returns the session that a token names, or empty. It does not verify the token.
func ClaimOf(token string) string {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return ""
	}
	id, _ := claims[Claim].(string)
	return id
}

// Admit returns the person whose verified token it is, with their session, or nil if that has ended. until is when it ends
// unless it is used, and zero for a token without a session.
func Admit(app core.App, person *core.Record, token string) (_ *core.Record, until time.Time, err error) {
	if person == nil || person.Collection().Name != "users" {
		return person, time.Time{}, nil
	}
	id := ClaimOf(token)
	if id == "" {
		return person, time.Time{}, nil
	}
	live, until, err := FindLive(app, id, person.Id)
	if err != nil || live == nil {
		return nil, time.Time{}, err
	}
	person.SetRaw(callerKey, id)
	return person, until, nil
}

// IsOver reports whether the session in which the caller came has ended. Without one it has not.
func IsOver(app core.App, caller *core.Record) (bool, error) {
	id := Of(caller)
	if id == "" {
		return false, nil
	}
	live, _, err := FindLive(app, id, caller.Id)
	return live == nil, err
}
