package mail

import (
	"html"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/deliver/phrases"
)

// NewAccountEmail returns one of PocketBase's mails to an account, in the product's own words. kind is Verification or
// another of the kinds beside it, meta the data of PocketBase's event.
func NewAccountEmail(app core.App, kind string, user *core.Record, locale string, meta map[string]any) *Email {
	words, users := phrases.WordsFor(locale), user.Collection()
	said := func(key string) string { v, _ := meta[key].(string); return v }
	good := map[string]int64{
		Verification: users.VerificationToken.Duration, PasswordReset: users.PasswordResetToken.Duration,
		EmailChange: users.EmailChangeToken.Duration, OneTimeCode: users.OTP.Duration,
	}[kind]
	values := []string{
		"app", app.Settings().Meta.AppName, "handle", phrases.WithoutLinks(user.GetString("handle")),
		"duration", words.Duration(time.Duration(good) * time.Second),
		"place", phrases.WithoutLinks(phrases.ShortLine(html.UnescapeString(said("info")), maxPlaceLength)), // PocketBase has escaped it
	}
	say := func(key string) string { return words.Translate("account."+kind+key, values...) }
	begin, end := Section{Items: []Item{{Text: say("")}}}, Section{Items: []Item{{Text: say(".after")}}}
	switch kind {
	case OneTimeCode:
		begin.Items = append(begin.Items, Item{Code: said("password")})
	case LoginAlert:
		begin.Items = append(begin.Items, Item{Text: words.Translate("account.place", values...)})
		end.URL, end.Label = ForgotPasswordLink(app), words.Translate("credential.reset")
	default:
		begin.URL, begin.Label = pageLink(app, kind)+said("token"), say(".do")
	}
	return &Email{Locale: locale, Subject: say(".subject"), Sections: []Section{begin, end}}
}

const maxPlaceLength = 200 // characters of the place from which somebody signed in, as their browser says

// linkPaths are the paths of links in mails, in the web app and in PocketBase's dashboard. The token follows after the
// #, which browsers do not send to any server.
var linkPaths = map[string]struct{ path, pocketBase string }{
	Verification:  {"/#/verify/", "/_/#/auth/confirm-verification/"},
	PasswordReset: {"/#/reset/", "/_/#/auth/confirm-password-reset/"},
	EmailChange:   {"/#/change/", "/_/#/auth/confirm-email-change/"},
}

const dashboardLinksKey = "doubletap.elsewhere"

// UseDashboardLinks makes links lead to PocketBase's pages, for owners who serve their own pages in place of the web
// app.
func UseDashboardLinks(app core.App) { app.Store().Set(dashboardLinksKey, true) }

func pageLink(app core.App, kind string) string {
	base := strings.TrimRight(app.Settings().Meta.AppURL, "/")
	if app.Store().Has(dashboardLinksKey) {
		return base + linkPaths[kind].pocketBase
	}
	return base + linkPaths[kind].path
}

// ForgotPasswordLink returns the address at which people ask for a new password, or "" where the pages are the owner's
// own.
func ForgotPasswordLink(app core.App) string {
	if app.Store().Has(dashboardLinksKey) {
		return ""
	}
	return strings.TrimRight(app.Settings().Meta.AppURL, "/") + "/#/forgot"
}

// IsShippedTemplate reports whether the template of a kind is one that PocketBase ships, now or in former versions. If
// not, it is the owner's own and stays.
func IsShippedTemplate(users *core.Collection, kind string) bool {
	has, ships := templateOf(users, kind), templateOf(core.NewAuthCollection("any"), kind)
	if has.Subject != ships.Subject {
		return false
	}
	former := strings.ReplaceAll(ships.Body, "please ignore this", "you can ignore this")
	return has.Body == ships.Body || has.Body == former ||
		kind == Verification && has.Body == strings.Replace(ships.Body, "<p><i>If you didn't recently register, please ignore this email.</i></p>\n", "", 1) ||
		kind == LoginAlert && has.Body == formerAlertBody
}

// formerAlertBody is what PocketBase shipped before it named the place.
const formerAlertBody = `<p>Hello,</p>
<p>We noticed a login to your {APP_NAME} account from a new location.</p>
<p>If this was you, you may disregard this email.</p>
<p><strong>If this wasn't you, you should immediately change your {APP_NAME} account password to revoke access from all other locations.</strong></p>
<p>
  Thanks,<br/>
  {APP_NAME} team
</p>`

func templateOf(c *core.Collection, kind string) core.EmailTemplate {
	switch kind {
	case Verification:
		return c.VerificationTemplate
	case PasswordReset:
		return c.ResetPasswordTemplate
	case EmailChange:
		return c.ConfirmEmailChangeTemplate
	case OneTimeCode:
		return c.OTP.EmailTemplate
	}
	return c.AuthAlert.EmailTemplate
}
