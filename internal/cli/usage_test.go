package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase"
	pbcmd "github.com/pocketbase/pocketbase/cmd"
	"github.com/pocketbase/pocketbase/plugins/migratecmd"
)

// newCommandLine returns a program with all commands, whose data folder is not there.
func newCommandLine(t *testing.T) *pocketbase.PocketBase {
	t.Helper()
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: filepath.Join(t.TempDir(), "data")})
	app.RootCmd.AddCommand(pbcmd.NewSuperuserCommand(app), pbcmd.NewServeCommand(app, false))
	AddCommands(app, nil)
	migratecmd.MustRegister(app, app.RootCmd, migratecmd.Config{})
	return app
}

// TestAMistypedCommandLineMakesNothing looks at command lines as the program does before it opens its data folder.
func TestAMistypedCommandLineMakesNothing(t *testing.T) {
	app := newCommandLine(t)
	for _, line := range []string{
		"serv", "help nope", "jobs nope", "photos nope", "webhooks nope", "superuser nope", "migrate nope", "seed extra", "version extra",
		"serve --nope", "doctor --dirr=x", "seed --users=x", "seed --seed=-1", "serve --dir", "healthcheck --timeout=soon", "serve --dev=perhaps",
		"adopt", "leave", "leave --drop", "doctor", "doctor --json", "jobs ls", "jobs list", "photos rebuild", "superuser upsert", "superuser upsert a@example.com", "superuser delete a@example.com",
		"superuser upsert a@example.com password-of-hers --dir=" + app.DataDir(),
	} {
		if _, err := checkCommandLine(app, strings.Fields(line)); ExitStatus(err) != 2 {
			t.Errorf("%q is let through: %v", line, err)
		}
	}
	for line, opens := range map[string]bool{
		"": false, "jobs": false, "superuser": false, "version": false, "version --json": false, "healthcheck --http=:8090 --timeout=1s": false,
		"serve": true, "serve photos.example --http=0.0.0.0:80": true, "serve --dir=" + app.DataDir(): true, "demo": true, "seed --users=3 --json": true, "migrate up": true, "migrate": true,
		"superuser upsert a@example.com password-of-hers": true,
	} {
		if got, err := checkCommandLine(app, strings.Fields(line)); err != nil || got != opens {
			t.Errorf("%q opens the folder: %v, want %v; %v", line, got, opens, err)
		}
	}
	if _, err := os.Stat(app.DataDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a data folder was made:", err)
	}
	if err := os.MkdirAll(app.DataDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	// a volume in which nothing is yet may get its first superuser; a typo is no folder at all
	if opens, err := checkCommandLine(app, []string{"superuser", "upsert", "a@example.com", "password-of-hers", "--dir=" + app.DataDir()}); err != nil || !opens {
		t.Error("an empty volume gets no superuser:", err)
	}
	if err := os.WriteFile(filepath.Join(app.DataDir(), "data.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"doctor", "jobs ls", "superuser delete a@example.com", "superuser upsert a@example.com password-of-hers --dir=" + app.DataDir()} {
		if opens, err := checkCommandLine(app, strings.Fields(line)); err != nil || !opens {
			t.Errorf("%q where a data folder is: %v", line, err)
		}
	}
}

func TestAFolderInAMissingFolderIsMistyped(t *testing.T) {
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: filepath.Join(t.TempDir(), "missing", "data")})
	AddCommands(app, nil)
	if _, err := checkCommandLine(app, []string{"seed", "--dir=" + app.DataDir()}); ExitStatus(err) != 2 {
		t.Error("a folder that was named is made in a missing one:", err)
	}
	if _, err := checkCommandLine(app, []string{"seed"}); err != nil {
		t.Error("the folder of the environment is refused:", err)
	}
}

func TestAnErrorOfPermissionsNamesFolderAndUser(t *testing.T) {
	for _, cause := range []error{&fs.PathError{Op: "mkdir", Path: "x", Err: fs.ErrPermission}, errors.New("unable to open database file (14)")} {
		err := explainPermission(fmt.Errorf("open: %w", cause), "/var/lib/photos")
		if !strings.Contains(err.Error(), "/var/lib/photos") || !strings.Contains(err.Error(), "as user ") || !errors.Is(err, cause) {
			t.Error(err)
		}
	}
	if err := explainPermission(errors.New("else"), "/x"); err.Error() != "else" {
		t.Error(err)
	}
}
