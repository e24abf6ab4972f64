package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError says that a command line is mistyped. Nothing was opened or made.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// ExitStatus returns the status with which a program ends after err: 0 for none, 2 for a mistyped command line, else 1.
func ExitStatus(err error) int {
	mistyped := usageError{}
	switch {
	case err == nil:
		return 0
	case errors.As(err, &mistyped), strings.HasPrefix(err.Error(), "unknown command "), strings.HasPrefix(err.Error(), "unknown flag: "):
		return 2
	}
	return 1
}

// checkUsage looks at the command line before the data folder is opened, or made: PocketBase opens it first and reads
// the command line then. Commands that need no folder get none.
func checkUsage(app *pocketbase.PocketBase) {
	app.OnBootstrap().Bind(&hook.Handler[*core.BootstrapEvent]{Priority: -99999, Func: func(e *core.BootstrapEvent) error {
		opens, err := checkCommandLine(app, os.Args[1:])
		if err != nil {
			return err
		}
		if !opens {
			slog.SetDefault(slog.New(slog.DiscardHandler)) // PocketBase warns when nothing was opened
			return nil
		}
		return explainPermission(e.Next(), app.DataDir())
	}})
}

// checkCommandLine returns an error if the command line is mistyped, and whether its command opens the data folder.
func checkCommandLine(app *pocketbase.PocketBase, args []string) (opens bool, err error) {
	if slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-test.") }) {
		return true, nil // the command line of a Go test
	}
	command, rest, err := app.RootCmd.Find(args)
	if err != nil {
		return false, usageError{err.Error()}
	}
	flags, dirIsGiven := checkedFlags(command)
	if err := flags.Parse(rest); err != nil {
		return false, usageError{err.Error()}
	}
	if !command.Runnable() {
		if flags.NArg() > 0 {
			return false, usageError{fmt.Sprintf("unknown command %q for %q", flags.Arg(0), command.CommandPath())}
		}
		return false, nil // it prints what there is
	}
	if err := command.ValidateArgs(flags.Args()); err != nil {
		return false, usageError{err.Error()}
	}
	if command.Annotations[opensNothing] != "" {
		return false, nil
	}
	if known := command.ValidArgs; len(known) > 0 && flags.NArg() > 0 && !slices.Contains(known, flags.Arg(0)) && !slices.Contains(moreActions, flags.Arg(0)) {
		return false, usageError{fmt.Sprintf("unknown command %q for %q", flags.Arg(0), command.CommandPath())}
	}
	return true, refuseMistypedFolder(command, flags.NArg(), app.DataDir(), *dirIsGiven)
}

// moreActions are those of migrate that it does not name among its arguments.
var moreActions = []string{"history-sync"}

// opensNothing is the annotation of commands that need no data folder.
const opensNothing = "opensNothing"

// refuseMistypedFolder returns an error if the command would make a data folder where nobody wants one: commands that look at
// what is there, or change it, make none, and no command makes the folder in which a folder of a given name shall be.
func refuseMistypedFolder(command *cobra.Command, args int, dir string, isGiven bool) error {
	if !isMissing(filepath.Join(dir, "data.db")) {
		return nil // what cannot be looked at cannot be opened either, and that says why
	}
	for command.HasParent() && command.Parent().HasParent() {
		command = command.Parent()
	}
	first := command.Name()
	// with an address and a password; a volume is there before its data
	makesSuperuser := first == "superuser" && args == 2 && (!isGiven || !isMissing(dir))
	switch {
	case makesSuperuser, slices.Contains([]string{"serve", "demo", "seed", "migrate"}, first):
		if parent := filepath.Dir(filepath.Clean(dir)); isGiven && isMissing(parent) {
			return usageError{fmt.Sprintf("there is no folder %s to make the data folder %s in: is it the right --dir?", parent, filepath.Base(dir))}
		}
		return nil
	case slices.Contains([]string{"doctor", "jobs", "photos", "webhooks", "adopt", "leave", "superuser"}, first):
		return usageError{fmt.Sprintf("%s holds no data: is it the right --dir? `serve` makes a new one", dir)}
	}
	return nil // an owner's command
}

// isMissing is about what is known not to be there; what cannot be looked at may be.
func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// checkedFlags returns the flags of a command, parsing which changes nothing, and whether --dir was among them.
func checkedFlags(command *cobra.Command) (*pflag.FlagSet, *bool) {
	dirIsGiven := false
	flags := pflag.NewFlagSet(command.Name(), pflag.ContinueOnError)
	flags.ParseErrorsAllowlist = pflag.ParseErrorsAllowlist(command.FParseErrWhitelist)
	add := func(f *pflag.Flag) {
		if flags.Lookup(f.Name) != nil {
			return
		}
		checked := checkedValue{kind: f.Value.Type()}
		if f.Name == "dir" {
			checked.given = &dirIsGiven
		}
		flags.AddFlag(&pflag.Flag{Name: f.Name, Shorthand: f.Shorthand, NoOptDefVal: f.NoOptDefVal, Value: checked})
	}
	command.Flags().VisitAll(add)
	command.InheritedFlags().VisitAll(add)
	flags.BoolP("help", "h", false, "")
	return flags, &dirIsGiven
}

// checkedValue is a flag's value that is checked and not kept.
type checkedValue struct {
	kind  string
	given *bool
}

func (v checkedValue) String() string { return "" }
func (v checkedValue) Type() string   { return v.kind }
func (v checkedValue) Set(text string) (err error) {
	if v.given != nil {
		*v.given = true
	}
	switch v.kind {
	case "int", "int64":
		_, err = strconv.ParseInt(text, 0, 64)
	case "uint64":
		_, err = strconv.ParseUint(text, 0, 64)
	case "bool":
		_, err = strconv.ParseBool(text)
	case "duration":
		_, err = time.ParseDuration(text)
	}
	return err
}

// explainPermission adds to an error which folder and which user it is about, if it may be about permissions.
func explainPermission(err error, dir string) error {
	if err == nil || !errors.Is(err, fs.ErrPermission) && !strings.Contains(err.Error(), "unable to open database file") && !strings.Contains(err.Error(), "readonly database") {
		return err
	}
	name := strconv.Itoa(os.Getuid())
	if who, lookErr := user.Current(); lookErr == nil {
		name = who.Username
	}
	if absolute, absErr := filepath.Abs(dir); absErr == nil {
		dir = absolute
	}
	return fmt.Errorf("open the data folder %s as user %s: %w", dir, name, err)
}
