package hooks_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/testenv"
)

const (
	programDirEnv      = "DOUBLETAP_TEST_PROGRAM" // the data folder of a program, which this test binary then is
	programJobEnv      = "DOUBLETAP_TEST_JOB"     // an address that a job of the kind "slow" requests, and waits for
	programMailEnv     = "DOUBLETAP_TEST_SMTP"    // lets deliveries reach this machine
	programMaxFilesEnv = "DOUBLETAP_TEST_NOFILE"  // how many files the program may have open
	programDieEnv      = "DOUBLETAP_TEST_DIE"     // the collection of which a new record kills the program
)

// runProgram is main.go with a job that takes as long as the test wants.
func runProgram() {
	if most, err := strconv.ParseUint(os.Getenv(programMaxFilesEnv), 10, 32); err == nil {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	app := pocketbase.NewWithConfig(hooks.Config())
	bindOwnersHooks(app, func() { hooks.Bind(app) })
	if os.Getenv(programMailEnv) != "" {
		delivertest.AllowLoopback(app)
	}
	if name := os.Getenv(programDieEnv); name != "" {
		dieAfterCommit(app, name)
	}
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		app.Settings().Logs.MaxDays = 1 // the kit's folders log nothing
		runner, _ := app.Store().Get("doubletap.job").(*job.Runner)
		runner.Handle("slow", func(context.Context, core.App, *job.Job) error {
			answer, err := http.Get(os.Getenv(programJobEnv))
			if err == nil {
				answer.Body.Close()
			}
			return err
		})
		return e.Next()
	})
	if err := app.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// programProcess is a running program that serves a data folder.
type programProcess struct {
	t       *testing.T
	service *hookstest.Service
	url     string
	command *osexec.Cmd
	ended   chan error
	stderr  bytes.Buffer // its error output, to be read once it has ended
}

// startProgram starts the program on the folder of a service, beside it, and returns once it answers.
func startProgram(t *testing.T, s *hookstest.Service, env ...string) *programProcess {
	t.Helper()
	dir := s.App.DataDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	p := &programProcess{t: t, service: s, url: "http://" + address, command: osexec.Command(os.Args[0], "serve", "--dir="+dir, "--http="+address, "--dev=false"), ended: make(chan error, 1)}
	p.command.Env = append(append(os.Environ(), programDirEnv+"="+dir, "GORACE=exitcode=0"), env...) // waitForExit reads the race detector's reports
	p.command.Stdout, p.command.Stderr = io.Discard, &p.stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.command.Wait() }()
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	for {
		if answer, err := http.Get(p.url + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == 200 {
				return p
			}
		}
		select {
		case err := <-p.ended:
			t.Fatalf("it did not start: %v\n%s", err, p.stderr.String())
		case <-time.After(10 * time.Millisecond): // leaves the processor to the program
		}
	}
}

// sendTerminate signals the program to end.
func (p *programProcess) sendTerminate() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// waitForExit returns how the program ended. A program that was built with the race detector must have reported no
// race except PocketBase's own: saved settings are read in place, and its logger reads them without a lock.
func (p *programProcess) waitForExit() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		for i, report := range strings.Split(p.stderr.String(), "WARNING: DATA RACE") {
			if i > 0 && !strings.Contains(report, "core.(*BaseApp).ReloadSettings()") {
				p.t.Errorf("a race in the program:%s", report)
			}
		}
		return err
	case <-time.After(time.Minute):
		p.t.Fatal("it does not end")
		return nil
	}
}

func (p *programProcess) statusOf(path string) int {
	answer, err := http.Get(p.url + path)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// slowRequest is a request whose body comes in two halves.
type slowRequest struct {
	secondHalf io.WriteCloser
	answer     chan *http.Response
}

func (p *programProcess) sendSlowly(path, token, body string) slowRequest {
	p.t.Helper()
	reader, writer := io.Pipe()
	request, err := http.NewRequest("POST", p.url+path, reader)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", token)
	request.ContentLength = int64(len(body))
	request.Header.Set("Expect", "100-continue") // so that nothing is sent before the program reads
	client := http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	s := slowRequest{writer, make(chan *http.Response, 1)}
	go func() {
		answer, err := client.Do(request)
		if err != nil {
			p.t.Error("a request that had begun:", err)
		}
		s.answer <- answer
	}()
	if _, err := writer.Write([]byte(body[:len(body)-1])); err != nil {
		p.t.Fatal(err)
	}
	return s
}

func TestAskedToEndItFinishesWhatHasBegun(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	asked, goOn := make(chan struct{}), make(chan struct{})
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-goOn
	})}
	go server.Serve(peer)
	defer server.Close()
	if err := job.Enqueue(s.App, "slow", nil); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, s, programJobEnv+"=http://"+peer.Addr().String())
	<-asked // the job is under way
	if p.statusOf("/livez") != 200 || p.statusOf("/readyz") != 200 {
		t.Error("it serves, and says that it does not")
	}
	stream, err := http.Get(p.url + "/api/realtime")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewReader(stream.Body)
	if line, err := lines.ReadString('\n'); err != nil {
		t.Fatalf("the stream says %q, %v", line, err)
	}
	request := p.sendSlowly("/api/collections/follows/records", s.As("ada").Token, `{"followee":"`+s.As("bob").ID+`"}`)

	p.sendTerminate()
	for p.statusOf("/readyz") != 503 { // the old answer may be given a moment longer
		select {
		case err := <-p.ended:
			t.Fatalf("it ended before it said that it would: %v", err)
		default:
		}
	}
	if p.statusOf("/livez") != 200 {
		t.Error("it is alive, and says that it is not")
	}
	if _, err := request.secondHalf.Write([]byte("}")); err != nil {
		t.Fatal(err)
	}
	if answer := <-request.answer; answer == nil || answer.StatusCode != 200 {
		t.Errorf("the request that had begun: got %+v", answer)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream ended with %v", err)
	}
	select {
	case err := <-p.ended:
		t.Fatalf("it ended before its job did: %v", err)
	default:
	}
	close(goOn)
	if err := p.waitForExit(); err != nil {
		t.Errorf("it ended with %v, want exit 0", err)
	}
	if s.Rows("jobs", "kind = 'slow'") != 0 {
		t.Error("the job was done, and is still there")
	}
	if n := s.Rows("follows", "1"); n != 1 {
		t.Errorf("%d follows, want the one that was answered", n)
	}
	if asked, told := p.loggedRequests("/readyz")+p.loggedRequests("/livez"), p.loggedRequests("/api/collections/follows"); asked != 0 || told == 0 {
		t.Errorf("%d log rows of who asks how it is, want none; %d of the follow, want one", asked, told)
	}
}

// loggedRequests counts the log rows of requests for a path, once the program has ended.
func (p *programProcess) loggedRequests(path string) (n int) {
	p.t.Helper()
	if err := p.service.App.AuxConcurrentDB().NewQuery(`SELECT count(*) FROM _logs WHERE data LIKE '%"` + path + `%'`).Row(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

func TestNotReadyWhileNothingCanBeStored(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	run := func(statement string) {
		t.Helper()
		if _, err := s.App.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
			t.Fatal(err)
		}
		s.Advance(2 * time.Second)
	}
	s.Guest().Must(200, "GET", "/readyz", nil)
	run(`CREATE TRIGGER full BEFORE INSERT ON secrets BEGIN SELECT raise(ABORT, 'database or disk is full'); END`)
	if got := s.Guest().Must(503, "GET", "/readyz", nil); got.Body["message"] != "the database cannot be written to" || got.Body["status"] != 503.0 {
		t.Errorf("got %s", got.Raw)
	}
	s.Guest().Must(200, "GET", "/livez", nil)
	run(`DROP TRIGGER full`)
	s.Guest().Must(200, "GET", "/readyz", nil)
	if n := s.Rows("secrets", "name = 'readyz'"); n != 0 {
		t.Errorf("%d rows are left of asking", n)
	}
}

// TestAProgramKeepsItsFilesToItself starts the program on a folder that others could read, with logs that are damaged.
func TestAProgramKeepsItsFilesToItself(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s := hookstest.New(t)
	dir := s.App.DataDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "auxiliary.db"), []byte("no database at all, and long enough to be looked at"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"auxiliary.db-wal", "auxiliary.db-shm"} {
		_ = os.Remove(filepath.Join(dir, more)) // of the logs that were there before
	}
	p := startProgram(t, s)
	answer, err := http.Get(p.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != 200 || !bytes.Contains(text, []byte(`"setAside":["auxiliary.db.damaged-`)) {
		t.Errorf("ready with new logs: %s %v", text, err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // SQLite removes its own files
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && filepath.Dir(path) == dir {
			t.Errorf("others may read %s: %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.sendTerminate()
	if err := p.waitForExit(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
