package mail

import (
	"html"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/deliver/wording"
)

// ForAccount is one of PocketBase's mails to an account in the product's own words.
func ForAccount(app core.App, kind string, user *core.Record, locale string, meta map[string]any) *Letter {
	words, users := wording.In(locale), user.Collection()
	said := func(key string) string { v, _ := meta[key].(string); return v }
	good := map[string]int64{
		Verification: users.VerificationToken.Duration, PasswordReset: users.PasswordResetToken.Duration,
		EmailChange: users.EmailChangeToken.Duration, OneTimeCode: users.OTP.Duration,
	}[kind]
	values := []string{
		"app", app.Settings().Meta.AppName, "handle", wording.Unlinked(user.GetString("handle")),
		"duration", words.Duration(time.Duration(good) * time.Second),
		"place", wording.Unlinked(wording.Short(html.UnescapeString(said("info")), mostOfPlace)), // PocketBase has escaped it
	}
	say := func(key string) string { return words.Say("account."+kind+key, values...) }
	begin, end := Section{Items: []Item{{Text: say("")}}}, Section{Items: []Item{{Text: say(".after")}}}
	switch kind {
	case OneTimeCode:
		begin.Items = append(begin.Items, Item{Code: said("password")})
	case LoginAlert:
		begin.Items = append(begin.Items, Item{Text: words.Say("account.place", values...)})
		end.URL, end.Label = ForgotLink(app), words.Say("credential.reset")
	default:
		begin.URL, begin.Label = pageLink(app, kind)+said("token"), say(".do")
	}
	return &Letter{Locale: locale, Subject: say(".subject"), Sections: []Section{begin, end}}
}

const mostOfPlace = 200 // characters of where somebody signed in from, as their browser tells it

// pages are where the links of mails lead, in the web app and in PocketBase's dashboard. Tokens are behind the #, which browsers send nobody.
var pages = map[string]struct{ path, pocketBase string }{
	Verification:  {"/#/verify/", "/_/#/auth/confirm-verification/"},
	PasswordReset: {"/#/reset/", "/_/#/auth/confirm-password-reset/"},
	EmailChange:   {"/#/change/", "/_/#/auth/confirm-email-change/"},
}

const elsewhere = "doubletap.elsewhere"

// LeadElsewhere tells that the owner serves pages of their own in place of the web app: links lead to PocketBase's pages then.
func LeadElsewhere(app core.App) { app.Store().Set(elsewhere, true) }

func pageLink(app core.App, kind string) string {
	base := strings.TrimRight(app.Settings().Meta.AppURL, "/")
	if app.Store().Has(elsewhere) {
		return base + pages[kind].pocketBase
	}
	return base + pages[kind].path
}

// ForgotLink is where somebody asks for a new password: empty where the pages are the owner's own.
func ForgotLink(app core.App) string {
	if app.Store().Has(elsewhere) {
		return ""
	}
	return strings.TrimRight(app.Settings().Meta.AppURL, "/") + "/#/forgot"
}

// Shipped reports whether the template of a kind is one that PocketBase ships, now or in former versions: an owner's own is kept.
func Shipped(users *core.Collection, kind string) bool {
	has, ships := templateOf(users, kind), templateOf(core.NewAuthCollection("any"), kind)
	if has.Subject != ships.Subject {
		return false
	}
	former := strings.ReplaceAll(ships.Body, "please ignore this", "you can ignore this")
	return has.Body == ships.Body || has.Body == former ||
		kind == Verification && has.Body == strings.Replace(ships.Body, "<p><i>If you didn't recently register, please ignore this email.</i></p>\n", "", 1) ||
		kind == LoginAlert && has.Body == formerAlert
}

// formerAlert is what PocketBase shipped before it told the place.
const formerAlert = `<p>Hello,</p>
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
