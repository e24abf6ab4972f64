package mail

import (
	_ "embed"
	"fmt"
	html "html/template"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/deliver/phrases"
)

//go:embed page.html
var pageSource string

var pageTemplate = html.Must(html.New("page").Parse(pageSource))

// UnsubscribePage returns the page that asks whether mails like the one with the token shall end or, without a token,
// says that they have ended. It asks because some programs open every link in a mail.
func UnsubscribePage(app core.App, locale, token string) (string, error) {
	meta, words := app.Settings().Meta, phrases.WordsFor(locale)
	var text strings.Builder
	err := pageTemplate.Execute(&text, struct {
		Language, App, Token, Ask, Yes, Done string
		Accent                               html.CSS
	}{
		words.Language, meta.AppName, token, words.Translate("unsubscribe.ask"), words.Translate("unsubscribe.yes"), words.Translate("unsubscribe.done"),
		html.CSS(accentColor(meta)), // #nosec G203 -- PocketBase has checked that it is a colour
	})
	if err != nil {
		return "", fmt.Errorf("write the unsubscribe page: %w", err)
	}
	return text.String(), nil
}
