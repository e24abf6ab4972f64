package web

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/datafolder"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/setup"
)

// PrepareServing applies what belongs to a serving process: the lock of its data folder, the folder of uploads, the
// address, the origins and the first superuser.
func PrepareServing(pb *pocketbase.PocketBase, e *core.ServeEvent) error {
	if err := datafolder.Lock(pb.DataDir()); err != nil {
		return err
	}
	if err := datafolder.MakeUploadsDir(pb.DataDir()); err != nil {
		return err
	}
	if address := os.Getenv("DOUBLETAP_HTTP"); address != "" && !isFlagSet(pb, "http") {
		e.Server.Addr = address
	}
	warnAboutDefaults(pb, e)
	if !isFlagSet(pb, "origins") {
		allowOrigins(e, os.Getenv("DOUBLETAP_ORIGINS"))
	}
	return createFirstSuperuser(pb)
}

// allowOrigins lets browsers call us from the origins in a list with commas. If the list is empty they may call from
// our own origin alone.
func allowOrigins(e *core.ServeEvent, origins string) {
	e.Router.Unbind(apis.DefaultCorsMiddlewareId)
	if origins == "" {
		return
	}
	e.Router.Bind(apis.CORS(apis.CORSConfig{
		AllowOrigins: strings.Split(origins, ","),
		AllowMethods: []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete},
	}))
}

func isFlagSet(pb *pocketbase.PocketBase, name string) bool {
	command, _, err := pb.RootCmd.Find(os.Args[1:])
	if err != nil {
		return false
	}
	flag := command.Flag(name)
	return flag != nil && flag.Changed
}

// createFirstSuperuser creates the superuser that DOUBLETAP_SUPERUSER names as email:password, if there is no
// superuser yet.
func createFirstSuperuser(app core.App) error {
	value := os.Getenv("DOUBLETAP_SUPERUSER")
	if value == "" {
		return nil
	}
	email, password, ok := strings.Cut(value, ":")
	if !ok {
		return fmt.Errorf("DOUBLETAP_SUPERUSER must be email:password")
	}
	n, err := app.CountRecords(core.CollectionNameSuperusers)
	if err != nil || n > 0 {
		return err
	}
	superusers, err := app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	record := core.NewRecord(superusers)
	record.SetEmail(email)
	record.SetPassword(password)
	if err := app.Save(record); err != nil {
		return fmt.Errorf("create the superuser of DOUBLETAP_SUPERUSER: %w", err)
	}
	return nil
}

// TuneConnections gives the one connection that writes a larger cache than those that read, 64 MB, for as long as we
// serve. It cannot write where the system holds the file, so it need not map it. A connection that reads is closed
// after a minute, with all that it remembers and the pages that it has mapped: after hours these would be most of the
// database, in the figures of the process's memory if not in the machine's.
func TuneConnections(app core.App) error {
	if db, ok := app.NonconcurrentDB().(*dbx.DB); ok {
		db.DB().SetConnMaxIdleTime(0) // a connection that is opened anew would begin with a small cache
	}
	if db, ok := app.ConcurrentDB().(*dbx.DB); ok {
		db.DB().SetConnMaxLifetime(time.Minute)
	}
	return db.SetUpWriter(app, `PRAGMA cache_size = -64000`, `PRAGMA mmap_size = 0`)
}

// warnAboutDefaults notes where the program listens, and warns the operator of settings that are still unset.
func warnAboutDefaults(pb *pocketbase.PocketBase, e *core.ServeEvent) {
	command, _, err := pb.RootCmd.Find(os.Args[1:])
	if err != nil {
		return
	}
	var domains []string
	if command.Name() == "serve" {
		domains = command.Flags().Args()
	}
	https := command.Flag("https")
	setup.SetListenURL(pb, setup.ReachableURL(e.Server.Addr, len(domains) > 0 || https != nil && https.Value.String() != "", domains...))
	if command.Name() != "serve" {
		return
	}
	for _, unset := range setup.UnsetDefaults(pb) {
		fmt.Fprintln(os.Stderr, "doubletap: warning:", unset)
		pb.Logger().Warn("the configuration is not complete", "lacks", unset)
	}
}

// PrintWelcome prints where the app is once it listens and, while there is no superuser, how to create the first one.
// It prints nothing for other commands than serve: the demonstration has words of its own.
func PrintWelcome(pb *pocketbase.PocketBase, out io.Writer) error {
	command, _, err := pb.RootCmd.Find(os.Args[1:])
	if err != nil || command.Name() != "serve" {
		return nil //nolint:nilerr // another command, or none
	}
	admins, err := pb.CountRecords(core.CollectionNameSuperusers)
	if err != nil {
		return fmt.Errorf("count superusers: %w", err)
	}
	url := setup.ListenURL(pb)
	fmt.Fprintf(out, "Doubletap is at %s, its dashboard at %s/_/\n", url, url)
	if admins > 0 {
		return nil
	}
	dir := ""
	if isFlagSet(pb, "dir") {
		dir = fmt.Sprintf(" --dir=%q", pb.DataDir())
	}
	fmt.Fprintf(out, "It has no admin yet: %s superuser upsert EMAIL PASSWORD%s makes the first one.\n", os.Args[0], dir)
	return nil
}
