package hooks

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/gctune"
	"github.com/doubletap/doubletap/internal/job"
)

func (s *Social) bindServer() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // the first superuser comes from a command or a variable, never from a link in a log
		e.Router.BindFunc(answerTransient)
		if pb, ok := s.app.(*pocketbase.PocketBase); ok {
			if err := prepareServing(pb, e); err != nil {
				return err
			}
			gctune.TuneCollector()
		}
		if err := tuneConnections(s.app); err != nil {
			return err
		}
		ctx, stop := context.WithCancel(context.Background())
		var copying sync.WaitGroup
		copying.Go(func() { db.RunCheckpoints(ctx, s.app) })
		s.app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
			stop()
			copying.Wait() // before the databases are closed
			return e.Next()
		})
		if err := e.Next(); err != nil {
			return err
		}
		if pb, ok := s.app.(*pocketbase.PocketBase); ok {
			return printWelcome(pb, os.Stdout)
		}
		return nil
	})
}

// tuneConnections gives the one connection that writes a larger cache than those that read, 64 MB, for as long as we
// serve. It cannot write where the system holds the file, so it need not map it. A connection that reads is closed
// after a minute, with all that it remembers and the pages that it has mapped: after hours these would be most of the
// database, in the figures of the process's memory if not in the machine's.
func tuneConnections(app core.App) error {
	if db, ok := app.NonconcurrentDB().(*dbx.DB); ok {
		db.DB().SetConnMaxIdleTime(0) // a connection that is opened anew would begin with a small cache
	}
	if db, ok := app.ConcurrentDB().(*dbx.DB); ok {
		db.DB().SetConnMaxLifetime(time.Minute)
	}
	return db.SetUpWriter(app, `PRAGMA cache_size = -64000`, `PRAGMA mmap_size = 0`)
}

func (s *Social) bindJobs() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		s.jobs.Start()
		return nil
	})
}

// enqueueJob adds a recurring job unless one waits already, as every process's cron calls it.
func (s *Social) enqueueJob(kind string) {
	if err := job.Enqueue(s.app, kind, struct{}{}, job.Dedupe("recurring")); err != nil {
		s.app.Logger().Error("recurring job not added", "kind", kind, "err", err)
	}
}

// DrainJobs runs the background jobs that are due, and those that they add, on the calling goroutine until none is
// due, and returns how many it ran. A job that fails is no error of DrainJobs. A serving process runs jobs by itself;
// tests and commands call DrainJobs.
func (s *Social) DrainJobs(ctx context.Context) (int, error) { return s.jobs.Drain(ctx) }

// StopJobs lets no further background job begin and waits for those that have begun. If ctx ends first, their
// contexts end too, and the error says that some still run. There is no start after it.
func (s *Social) StopJobs(ctx context.Context) error { return s.jobs.Stop(ctx) }

// prepareServing applies what belongs to a serving process: the lock of its data folder, the folder of uploads, the
// address, the origins and the first superuser.
func prepareServing(pb *pocketbase.PocketBase, e *core.ServeEvent) error {
	if err := lockDataDir(pb.DataDir()); err != nil {
		return err
	}
	if err := makeUploadsDir(pb.DataDir()); err != nil {
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
