package hooks

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	pb_public "doubletap/pb_public"
)

func (s *Social) bindServer() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // the first superuser comes from a command or a variable, never from a link in a log
		e.Router.BindFunc(answered)
		if pb, ok := s.app.(*pocketbase.PocketBase); ok {
			if err := serveAs(pb, e); err != nil {
				return err
			}
		}
		return e.Next()
	})
}

// bindPages serves the web app at /, unless the owner serves something there.
func (s *Social) bindPages() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if !e.Router.HasRoute(http.MethodGet, "/{path...}") {
			e.Router.GET("/{path...}", apis.Static(fs.FS(pb_public.FS), true)).Bind(apis.Gzip())
		}
		return e.Next()
	})
}

func (s *Social) bindJobs() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		s.jobs.Start()
		return nil
	})
	s.app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.jobs.Stop(ctx)
		return e.Next()
	})
}

// Jobs returns the runner of the background work, for tests and commands that run what is due
// themselves.
func (s *Social) Jobs() interface {
	Drain(context.Context) (int, error)
} {
	return s.jobs
}

// serveAs applies what belongs to a serving process: the lock of its data folder, its address, the first superuser.
func serveAs(pb *pocketbase.PocketBase, e *core.ServeEvent) error {
	if err := lock(pb.DataDir()); err != nil {
		return err
	}
	if address := os.Getenv("DOUBLETAP_HTTP"); address != "" && !flagged(pb, "http") {
		e.Server.Addr = address
	}
	return firstSuperuser(pb)
}

func flagged(pb *pocketbase.PocketBase, name string) bool {
	command, _, err := pb.RootCmd.Find(os.Args[1:])
	if err != nil {
		return false
	}
	flag := command.Flag(name)
	return flag != nil && flag.Changed
}

// held keeps the lock's file open for as long as the process lives.
var held *os.File

// lock makes this process the only one that serves the folder.
func lock(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, "serve.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another process serves the data folder %s: %w", dir, err)
	}
	held = file
	return nil
}

// firstSuperuser creates the superuser of DOUBLETAP_SUPERUSER, email:password, while there is none.
func firstSuperuser(app core.App) error {
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
