package setup

import (
	"os/exec"
	"slices"

	"github.com/pocketbase/pocketbase/core"
)

// UnsetDefaults says what an operator should set and has not, a sentence each.
func UnsetDefaults(app core.App) []string {
	return slices.DeleteFunc([]string{URLDefault(app), SenderDefault(app), MailDefault(app)}, func(s string) bool { return s == "" })
}

// URLDefault says that the application URL is not set, or nothing.
func URLDefault(app core.App) string {
	url := app.Settings().Meta.AppURL
	if url != shippedURL && !isFollowing(app) {
		return ""
	}
	return "no application URL in the settings: pages, mails and push messages link to " + url
}

// SenderDefault says that mail has no sender of its own, or nothing.
func SenderDefault(app core.App) string {
	if app.Settings().Meta.SenderAddress != shippedSender {
		return ""
	}
	return "mail comes from " + shippedSender + ", as PocketBase ships"
}

// MailDefault says that there is no mail server, or nothing.
func MailDefault(app core.App) string {
	switch {
	case app.Settings().SMTP.Enabled:
		return ""
	case HasSendmail():
		return "no SMTP server in the settings: mail goes through sendmail, and is seldom taken"
	}
	return "neither an SMTP server in the settings nor a sendmail: no mail can leave"
}

// HasSendmail reports whether this machine has the program that PocketBase hands mail to when there is no SMTP server.
func HasSendmail() bool {
	return slices.ContainsFunc([]string{"/usr/sbin/sendmail", "/usr/bin/sendmail", "sendmail"}, func(program string) bool {
		_, err := exec.LookPath(program)
		return err == nil
	})
}
