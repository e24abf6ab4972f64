package setup

import (
	"os/exec"
	"slices"

	"github.com/pocketbase/pocketbase/core"
)

// UnsetDefaults returns what an operator should set and has not, one sentence each.
func UnsetDefaults(app core.App) []string {
	return slices.DeleteFunc([]string{URLDefault(app), SenderDefault(app), MailDefault(app)}, func(s string) bool { return s == "" })
}

// URLDefault returns a sentence if the application URL is not set, otherwise an empty text.
func URLDefault(app core.App) string {
	url := app.Settings().Meta.AppURL
	if url != shippedURL && !isFollowing(app) {
		return ""
	}
	return "no application URL in the settings: pages, mails and push messages link to " + url
}

// SenderDefault returns a sentence if mail has the shipped sender, otherwise an empty text.
func SenderDefault(app core.App) string {
	if app.Settings().Meta.SenderAddress != shippedSender {
		return ""
	}
	return "mail comes from " + shippedSender + ", as PocketBase ships"
}

// MailDefault returns a sentence if there is no SMTP server, otherwise an empty text.
func MailDefault(app core.App) string {
	switch {
	case app.Settings().SMTP.Enabled:
		return ""
	case HasSendmail():
		return "no SMTP server in the settings: mail goes through sendmail, and is seldom taken"
	}
	return "neither an SMTP server in the settings nor a sendmail: no mail can leave"
}

// HasSendmail reports whether this machine has the sendmail that PocketBase uses when no SMTP server is set.
func HasSendmail() bool {
	return slices.ContainsFunc([]string{"/usr/sbin/sendmail", "/usr/bin/sendmail", "sendmail"}, func(program string) bool {
		_, err := exec.LookPath(program)
		return err == nil
	})
}
