package web

import (
	"errors"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/limit"
)

// A door's target is read as PocketBase reads it after us, from the same fields of the same types. A reader that were
// stricter or looser would let a request through that names somebody who is not counted.

// targetOf returns whom a request at a door is about, in one form for all spellings, whether or not there is an account:
// nobody learns from a limit that there is one. It is empty where nobody is named, and an error if PocketBase would not
// read the body either.
func (d *limitedDoor) targetOf(e *core.RequestEvent) (string, error) {
	kind := e.Request.Header.Get("Content-Type")
	if strings.HasPrefix(kind, "text/xml") || strings.HasPrefix(kind, "application/xml") {
		return "", router.ErrUnsupportedContentType // of XML, each reader gets another document of the body
	}
	if d.readTarget == nil {
		return "", nil
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil {
		return "", nil //nolint:nilerr // PocketBase says so
	}
	name, err := d.readTarget(e)
	if err != nil {
		if answer, isAnswer := errors.AsType[*router.ApiError](err); isAnswer {
			return "", answer
		}
		return "", e.BadRequestError("An error occurred while loading the submitted data.", err)
	}
	return targetNamed(c, name), nil
}

func targetNamed(c *core.Collection, name string) string {
	if name == "" {
		return ""
	}
	return c.Id + " " + name
}

// targetAtAddress returns a target for those who come from a request's address.
func targetAtAddress(e *core.RequestEvent, target string) string {
	return target + " " + limit.AddressGroup(limit.ClientAddress(e.Request)).String()
}

// FreeSignIns gives back the failed sign-ins of an account, whose owner has proved who they are in another way.
func FreeSignIns(e *core.RequestEvent, person *core.Record) {
	limits := limit.ForApp(e.App)
	for _, field := range person.Collection().PasswordAuth.IdentityFields {
		target := targetNamed(person.Collection(), foldIdentity(person.GetString(field)))
		for _, text := range []string{target, targetAtAddress(e, target)} {
			limits.Free(limits.ForText(limit.SignIn, text))
			limits.Free(limits.ForText(limit.SignInDay, text))
		}
	}
}

func foldIdentity(identity string) string {
	if strings.Contains(identity, "@") {
		return account.FoldAddress(identity)
	}
	return strings.ToLower(identity)
}

func readIdentity(e *core.RequestEvent) (string, error) {
	var form struct {
		Identity      string `json:"identity" form:"identity"`
		Password      string `json:"password" form:"password"`
		IdentityField string `json:"identityField" form:"identityField"`
	}
	err := e.BindBody(&form)
	return foldIdentity(form.Identity), err
}

func readMailbox(e *core.RequestEvent) (string, error) {
	var form struct {
		Email string `json:"email" form:"email"`
	}
	err := e.BindBody(&form)
	return mailboxNamed(form.Email), err
}

func readNewMailbox(e *core.RequestEvent) (string, error) {
	var form struct {
		NewEmail string `json:"newEmail" form:"newEmail"`
	}
	err := e.BindBody(&form)
	return mailboxNamed(form.NewEmail), err
}

// readNewAccount reads a record that is created, which PocketBase takes as a map.
func readNewAccount(e *core.RequestEvent) (string, error) {
	info, err := e.RequestInfo()
	if err != nil {
		return "", err
	}
	return mailboxNamed(cast.ToString(info.Body["email"])), nil
}

func mailboxNamed(address string) string {
	if address == "" {
		return ""
	}
	return mail.MailboxKey(address)
}
