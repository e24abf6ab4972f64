// Package mail writes emails, in HTML and in plain text, and hands them to PocketBase's mailer.
package mail

import (
	_ "embed"
	"fmt"
	html "html/template"
	"net/mail"
	"strings"
	text "text/template"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/deliver/phrases"
)

// Email is what a mail says, before it gets the look of the app.
type Email struct {
	To          string // an address
	Locale      string
	Subject     string
	Sections    []Section
	MessageID   string // its part before the @; the same each time the email is sent
	Unsubscribe string // a token; empty where there is nothing to unsubscribe from
}

// Section is a part of an email: items that are seen at the same place.
type Section struct {
	Title string
	Items []Item
	URL   string // empty where there is nothing to see
	Label string // of the button that leads to URL; empty where the default text fits
}

// Item is one sentence, with a quotation or a code where there is one.
type Item struct {
	Text, Quote string
	Code        string // a code to be typed in somewhere
}

//go:embed letter.html
var htmlSource string

//go:embed letter.txt
var textSource string

var (
	htmlTemplate = html.Must(html.New("letter").Parse(htmlSource))
	textTemplate = text.Must(text.New("letter").Parse(textSource))
)

// accentColor returns the colour of the settings, or the product's where that is the default of PocketBase's
// dashboard.
func accentColor(meta core.MetaConfig) string {
	if meta.AccentColor == "" || meta.AccentColor == "#1055c9" {
		return "#d6336c"
	}
	return meta.AccentColor
}

// MailerMessage gives the email the look of the app: its name, address, sender and colour are those of PocketBase's
// settings.
func (e *Email) MailerMessage(app core.App) (*mailer.Message, error) {
	meta := app.Settings().Meta
	words := phrases.WordsFor(e.Locale)
	base := strings.TrimRight(meta.AppURL, "/")
	page := struct {
		*Email
		Language, App, AppURL, Accent, See, Why, Stop, Unsubscribe string
	}{
		Email: e, Language: words.Language, App: meta.AppName, AppURL: base, Accent: accentColor(meta),
		See: words.Translate("see", "app", meta.AppName), Why: words.Translate("why", "app", meta.AppName), Stop: words.Translate("unsubscribe"),
	}
	headers := map[string]string{"Auto-Submitted": "auto-generated"}
	if e.Unsubscribe != "" {
		page.Unsubscribe = base + "/unsubscribe?t=" + e.Unsubscribe
		headers["List-Unsubscribe"] = "<" + page.Unsubscribe + ">"
		headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click" // RFC 8058
	}
	if _, domain, ok := strings.Cut(account.WireAddress(meta.SenderAddress), "@"); ok && e.MessageID != "" {
		headers["Message-ID"] = "<" + e.MessageID + "@" + domain + ">"
	}
	var rich, plain strings.Builder
	if err := htmlTemplate.Execute(&rich, page); err != nil {
		return nil, fmt.Errorf("write a letter: %w", err)
	}
	if err := textTemplate.Execute(&plain, page); err != nil {
		return nil, fmt.Errorf("write a letter: %w", err)
	}
	return &mailer.Message{
		From:    mail.Address{Name: meta.SenderName, Address: meta.SenderAddress},
		To:      []mail.Address{{Address: e.To}},
		Subject: phrases.SingleLine(e.Subject),
		HTML:    rich.String(), Text: strings.TrimSpace(plain.String()) + "\n", Headers: headers,
	}, nil
}
