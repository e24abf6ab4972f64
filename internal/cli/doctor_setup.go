package cli

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/datafolder"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/setup"
)

// lateJobAge is how long a due job may wait before somebody should look.
const lateJobAge = 5 * time.Minute

func checkJobs(app core.App, f *reconcile.Problems) error {
	counts, err := job.CountByState(app)
	if err != nil {
		return err
	}
	for kind, states := range counts {
		f.AddWarning(states["dead"], "%d dead %s jobs: see jobs in the dashboard", states["dead"], kind)
	}
	slices.Sort(f.Notes)
	lag, err := job.QueueLag(app)
	if err == nil && lag > lateJobAge {
		f.AddWarning(1, "the job that is longest due has waited for %s: does a server run?", lag.Round(time.Second))
	}
	return err
}

func checkSuperusers(app core.App, f *reconcile.Problems) error {
	n, err := app.CountRecords(core.CollectionNameSuperusers)
	if err == nil && n == 0 {
		f.AddWarning(1, "nobody can come into the dashboard: superuser create, or DOUBLETAP_SUPERUSER")
	}
	return err
}

// checkAddresses reports accounts that share an e-mail address in several spellings, from before all spellings counted
// as one.
func checkAddresses(app core.App, f *reconcile.Problems) error {
	shared, err := account.SharedAddresses(app)
	if err != nil {
		return err
	}
	for _, address := range shared {
		f.AddWarning(len(address.Users), "users %s share an e-mail address in several spellings: give all but one another", address)
	}
	folded, err := account.AddressesFolded(app)
	if err == nil && !folded && len(shared) == 0 {
		f.AddFailure(1, "the unique index of users.email tells spellings of an address apart")
	}
	return err
}

// foldAddresses stores the addresses in one spelling each, and makes the index once no accounts share one.
func foldAddresses(ctx context.Context, app core.App) (int64, error) {
	_, changed, err := account.FoldAddresses(ctx, app)
	return changed, err
}

// mailDemandSQL counts the people who want mail, and the mails that wait.
const mailDemandSQL = `SELECT (SELECT count(*) FROM settings s JOIN users u ON u.id = s.user
		WHERE u.verified AND (s.digest IN ('hourly', 'daily') OR s.notify LIKE '%"mail":"now"%')),
	(SELECT count(*) FROM jobs WHERE kind LIKE 'mail.%' AND state != 'dead')`

// checkAppURL reports what links begin with if the settings have no application URL.
func checkAppURL(app core.App, f *reconcile.Problems) error {
	if unset := setup.URLDefault(app); unset != "" {
		f.AddWarning(1, "%s", unset)
	}
	return nil
}

// checkMail reports how mail leaves: without SMTP PocketBase hands it to sendmail, and without sendmail it is lost.
func checkMail(app core.App, f *reconcile.Problems) error {
	if unset := setup.MailDefault(app); unset != "" {
		people, waiting := 0, 0
		queues, err := db.HasTable(app, "jobs")
		if err != nil {
			return err
		}
		if queues {
			if _, err := db.QueryRow(app, mailDemandSQL, nil, &people, &waiting); err != nil {
				return err
			}
		}
		if people+waiting > 0 && !setup.HasSendmail() {
			f.AddFailure(1, "%d people ask for mail and %d mails wait, and there is neither an SMTP server in the settings nor a sendmail", people, waiting)
		} else {
			f.AddWarning(1, "%s", unset)
		}
	}
	if unset := setup.SenderDefault(app); unset != "" {
		f.AddWarning(1, "%s", unset)
	}
	return nil
}

func checkEncryption(app core.App, f *reconcile.Problems) error {
	name := app.EncryptionEnv()
	if name == "" {
		name = "PB_ENCRYPTION_KEY"
	}
	if os.Getenv(name) == "" {
		f.AddWarning(1, "%s is not set: secrets in the settings lie in the database as they are", name)
	}
	return nil
}

// checkFolder reports what other users of the machine can read. The program closes a folder when it starts, so this is
// what it could not close. It also names logs that were damaged.
func checkFolder(app core.App, f *reconcile.Problems) error {
	open, err := datafolder.OpenToOthers(app.DataDir())
	if err != nil {
		return err
	}
	if len(open) > 0 {
		f.AddWarning(len(open), "other users of this machine can read %s: chmod go= them, or give the folder to the user who serves it", strings.Join(open, ", "))
	}
	for _, name := range datafolder.DamagedLogs(app.DataDir()) {
		f.AddWarning(1, "the logs were damaged and are set aside as %s: remove it when nobody needs it", name)
	}
	return nil
}

// checkPaths says which path requests take, as far as the hooks tell that the program binds before it serves.
func checkPaths(app core.App, f *reconcile.Problems) error {
	paths, err := fastpath.DescribePaths(app)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if len(path.Reasons) > 0 {
			f.AddWarning(1, "%s: %s", path.Requests, path)
		} else {
			f.AddNote("%s: %s", path.Requests, path)
		}
	}
	return nil
}
