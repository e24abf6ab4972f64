package web

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/session"
)

// SignInCaller is the middleware that signs in who sends a token, in place of PocketBase, which takes whom it cannot
// read for a guest.
func SignInCaller(e *core.RequestEvent) (err error) {
	if token := BearerToken(e); token != "" && e.Auth == nil {
		if e.Auth, err = FindByToken(e.App, token, core.TokenTypeAuth); err != nil {
			return fault.ForClient(err)
		}
	}
	return e.Next()
}

// FindByToken returns whose token it is, nil for nobody's: it is none of ours, or its time is over, or the person is
// gone, or its session has ended. That the person cannot be read is an error, or a failing disk would make guests of everybody.
func FindByToken(app core.App, token, kind string) (*core.Record, error) {
	person, err := app.FindAuthRecordByToken(token, kind)
	if db.Failed(err) {
		return nil, fmt.Errorf("find whose token it is: %w", err)
	}
	if err != nil {
		return nil, nil //nolint:nilerr // nobody's
	}
	person, _, err = session.Admit(app, person, token)
	return person, err
}

// BearerToken returns the token of a request as PocketBase reads it, or empty.
func BearerToken(e *core.RequestEvent) string {
	token := e.Request.Header.Get("Authorization")
	if len(token) > 7 && strings.EqualFold(token[:7], "Bearer ") {
		return token[7:]
	}
	return token
}

// DropEndedFileToken is the middleware that takes a file token whose session has ended out of a request for a file, as
// PocketBase reads the token itself.
func DropEndedFileToken(e *core.RequestEvent) error {
	if !strings.HasPrefix(e.Request.URL.Path, "/api/files/") || !e.Request.URL.Query().Has("token") {
		return e.Next()
	}
	query := e.Request.URL.Query()
	if token := query.Get("token"); session.ClaimOf(token) != "" {
		holder, err := FindByToken(e.App, token, core.TokenTypeFile)
		if err != nil {
			return fault.ForClient(err)
		}
		if holder == nil {
			query.Set("token", "")
			e.Request.URL.RawQuery = query.Encode()
		}
	}
	return e.Next()
}
