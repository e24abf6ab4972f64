package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/fault"
)

// serveUnsubscribe answers GET /unsubscribe?t= with a page that asks; it changes nothing.
func serveUnsubscribe(e *core.RequestEvent) error {
	token := e.Request.URL.Query().Get("t")
	user, _, err := readUnsubscribeToken(e.App, token)
	if err != nil {
		return err
	}
	return respondUnsubscribe(e, user, token)
}

// applyUnsubscribe answers POST /unsubscribe?t=, which mail programs send by themselves (RFC 8058) and so does the
// page's button.
func applyUnsubscribe(e *core.RequestEvent) error {
	user, scope, err := readUnsubscribeToken(e.App, e.Request.URL.Query().Get("t"))
	if err != nil {
		return err
	}
	if err := unsubscribeFromMail(e.App, user, scope); err != nil {
		return err
	}
	if e.Request.PostFormValue("page") == "" {
		return e.NoContent(http.StatusNoContent)
	}
	return respondUnsubscribe(e, user, "")
}

func respondUnsubscribe(e *core.RequestEvent, user, token string) error {
	locale, err := localeOf(e.App, user)
	if err != nil {
		return err
	}
	page, err := mail.UnsubscribePage(e.App, locale, token)
	if err != nil {
		return err
	}
	header := e.Response.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer") // the address has the token
	header.Set("Cache-Control", "no-store")
	return e.HTML(http.StatusOK, page)
}

func readUnsubscribeToken(app core.App, token string) (user, scope string, err error) {
	user, scope, err = mail.ParseToken(app, token)
	if errors.Is(err, mail.ErrInvalidToken) {
		return "", "", fault.InvalidField("t", "validation_invalid_token", "This link is not one of ours, or not all of it.")
	}
	return user, scope, err
}

// unsubscribeFromMail ends a user's mails of one type, or the digests. A user without settings is gone and gets no
// mail anyway.
func unsubscribeFromMail(app core.App, user, scope string) error {
	return app.RunInTransaction(func(tx core.App) error {
		settings, found, err := db.Optional(tx.FindFirstRecordByData("settings", "user", user))
		if err != nil {
			return fmt.Errorf("find the settings of %s: %w", user, err)
		}
		if !found {
			return nil
		}
		if scope == mail.DigestScope {
			settings.Set("digest", "off")
			return tx.Save(settings)
		}
		var preferences map[string]any
		_ = json.Unmarshal([]byte(settings.GetString("notify")), &preferences) // anything else there is no preference
		if preferences == nil {
			preferences = map[string]any{}
		}
		ofType, _ := preferences[scope].(map[string]any)
		if ofType == nil {
			ofType = map[string]any{}
		}
		ofType["mail"] = "off"
		preferences[scope] = ofType
		settings.Set("notify", preferences)
		return tx.Save(settings)
	})
}
