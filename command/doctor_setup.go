package command

import (
	"os"
	"os/exec"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/job"
	"doubletap/internal/reconcile"
)

func lookJobs(app core.App, f *reconcile.Found) error {
	counts, err := job.Counts(app)
	if err != nil {
		return err
	}
	for kind, states := range counts {
		f.Warn(states["dead"], "%d dead %s jobs: see jobs in the dashboard", states["dead"], kind)
	}
	slices.Sort(f.Notes)
	return nil
}

func lookSuperusers(app core.App, f *reconcile.Found) error {
	n, err := app.CountRecords(core.CollectionNameSuperusers)
	if err == nil && n == 0 {
		f.Warn(1, "nobody can come into the dashboard: superuser create, or DOUBLETAP_SUPERUSER")
	}
	return err
}

// lookMail tells how mail leaves: without SMTP PocketBase hands it to sendmail, and without that it is lost.
func lookMail(app core.App, f *reconcile.Found) error {
	settings := app.Settings()
	if !settings.SMTP.Enabled {
		if !slices.ContainsFunc([]string{"/usr/sbin/sendmail", "/usr/bin/sendmail", "sendmail"}, runs) {
			f.Warn(1, "neither an SMTP server in the settings nor a sendmail: no mail can leave")
		} else {
			f.Warn(1, "no SMTP server in the settings: mail goes through sendmail, and is seldom taken")
		}
	}
	if settings.Meta.SenderAddress == "support@example.com" {
		f.Warn(1, "mail comes from support@example.com, as PocketBase ships")
	}
	return nil
}

func runs(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func lookEncryption(app core.App, f *reconcile.Found) error {
	name := app.EncryptionEnv()
	if name == "" {
		name = "PB_ENCRYPTION_KEY"
	}
	if os.Getenv(name) == "" {
		f.Warn(1, "%s is not set: secrets in the settings lie in the database as they are", name)
	}
	return nil
}
