package job

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
)

const (
	childDir     = "DOUBLETAP_JOB_CHILD" // the data folder of a child, which this test binary then is
	childClock   = "DOUBLETAP_JOB_CLOCK" // how far the child's clock is ahead
	childTimeout = 2 * time.Minute
)

func TestThreeProcessesOnOneFileRunNoJobTwice(t *testing.T) {
	app := newTestApp(t)
	lines := make(chan string, 100)
	children := []*childProcess{spawnChild(t, app, lines, 0), spawnChild(t, app, lines, 0), spawnChild(t, app, lines, 0)}
	executeSQL(t, app, createRunsTable, nil)
	enqueue3000(t, app)
	for range children {
		expectLine(t, lines, "begun") // so that the quickest does not do all of it
	}
	began := time.Now()
	for _, c := range children {
		c.openGate(t)
	}
	done := map[string]bool{}
	for len(done) < 3000 {
		done[expectLine(t, lines, "job ")] = true
	}
	t.Logf("3,000 jobs in %v", time.Since(began))
	for _, c := range children {
		c.stopChild(t)
	}

	var ran, twice, late int
	must(t, app.ConcurrentDB().NewQuery("SELECT count(*), count(*) - count(DISTINCT job), count(iif(attempts > 1, 1, NULL)) FROM runs").Row(&ran, &twice, &late))
	if ran != 3000 || twice != 0 || late != 0 {
		t.Errorf("%d runs, %d of them double, %d at a second attempt; want 3000, 0, 0", ran, twice, late)
	}
	var shares []int
	must(t, app.ConcurrentDB().NewQuery("SELECT count(*) FROM runs GROUP BY worker").Column(&shares))
	if len(shares) != 3 {
		t.Errorf("%d processes took part, want 3", len(shares))
	}
	t.Logf("shares of the processes: %v", shares)
	if left := jobRows(t, app); len(left) != 0 {
		t.Errorf("%d jobs are left, the first %+v", len(left), left[0])
	}
}

// The clocks of the processes that live are ahead, so that the leases of the killed one are over and their own are
// long: if the machine stands still for a moment, nobody loses a job to another process.
func TestJobsOfAKilledProcessAreDoneByTheOthers(t *testing.T) {
	app := newTestApp(t)
	lines := make(chan string, 100)
	executeSQL(t, app, createRunsTable, nil)
	must(t, Enqueue(app, "hang", nil, RunAt(clock.Now(app).Add(-time.Hour))))
	enqueue3000(t, app)
	victim := spawnChild(t, app, lines, 0)
	victim.openGate(t)
	done := map[string]bool{}
	hangs := ""
	for hangs == "" || len(done) < 500 {
		switch line := expectLine(t, lines, ""); {
		case strings.HasPrefix(line, "job "):
			done[line] = true
		case strings.HasPrefix(line, "hang "):
			hangs = strings.Replace(line, "hang ", "job ", 1)
		}
	}
	others := []*childProcess{spawnChild(t, app, lines, time.Minute), spawnChild(t, app, lines, time.Minute)}
	must(t, victim.command.Process.Kill())
	for _, c := range others {
		c.openGate(t)
	}
	for len(done) < 3001 {
		if line := expectLine(t, lines, ""); strings.HasPrefix(line, "job ") {
			done[line] = true
		}
	}
	if !done[hangs] {
		t.Error("the job that hung when its process was killed is not done")
	}
	for _, c := range others {
		c.stopChild(t)
	}

	// what the killed process did but could not record is done again
	r := NewRunner(app)
	r.Handle("count", recordRun)
	clock.Advance(app, 2*time.Minute)
	again, err := r.Drain(context.Background())
	must(t, err)
	if left := jobRows(t, app); len(left) != 0 {
		t.Errorf("%d jobs are left, the first %+v", len(left), left[0])
	}
	var ran, twice, late, most int
	must(t, app.ConcurrentDB().NewQuery("SELECT count(*), count(iif(runs > 1, 1, NULL)), count(iif(attempts > 1, 1, NULL)), max(runs) FROM (SELECT count(*) runs, max(attempts) attempts FROM runs GROUP BY job)").
		Row(&ran, &twice, &late, &most))
	if ran != 3001 || most > 2 {
		t.Errorf("%d jobs ran, one of them %d times; want 3001, and none more often than twice", ran, most)
	}
	if late > r.workers {
		t.Errorf("%d jobs were begun again; the victim had %d in hand at most", late, r.workers)
	}
	var living int
	must(t, app.ConcurrentDB().NewQuery("SELECT count(*) FROM runs WHERE worker NOT LIKE {:victim} AND EXISTS (SELECT 1 FROM runs later WHERE later.job = runs.job AND later.attempts > runs.attempts)").
		Bind(dbx.Params{"victim": fmt.Sprintf("%%:%d:%%", victim.command.Process.Pid)}).Row(&living))
	if living > 0 {
		t.Errorf("%d jobs of those who live were done again", living)
	}
	t.Logf("%d jobs were begun again, %d of them at the very end; %d had been done without being written down", late, again, twice)
}

// createRunsTable has a key that two runs of one claim would violate.
const createRunsTable = "CREATE TABLE runs (job TEXT, attempts INT, worker TEXT, PRIMARY KEY (job, attempts))"

func enqueue3000(t *testing.T, app core.App) {
	must(t, app.RunInTransaction(func(tx core.App) error {
		for i := range 3000 {
			must(t, Enqueue(tx, "count", i))
		}
		return nil
	}))
}

// recordRun records that the job ran, and prints a line.
func recordRun(_ context.Context, app core.App, j *Job) error {
	_, err := app.NonconcurrentDB().NewQuery("INSERT INTO runs VALUES ({:job}, {:attempts}, {:worker})").
		Bind(dbx.Params{"job": j.ID, "attempts": j.Attempts, "worker": j.worker}).Execute()
	if err == nil {
		fmt.Println("job", j.ID)
	}
	return err
}

// runChild runs jobs, the first of which wait for a line on standard input, until standard input ends.
func runChild(dir string) {
	ahead, err := time.ParseDuration(os.Getenv(childClock))
	if err != nil {
		panic(err)
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		panic(err)
	}
	clock.Advance(app, ahead)
	r := NewRunner(app)
	begun, opened := sync.OnceFunc(func() { fmt.Println("begun") }), make(chan struct{})
	r.Handle("count", func(ctx context.Context, app core.App, j *Job) error {
		begun()
		<-opened
		return recordRun(ctx, app, j)
	})
	r.Handle("hang", func(ctx context.Context, app core.App, j *Job) error {
		if j.Attempts == 1 {
			fmt.Println("hang", j.ID)
			<-ctx.Done()
		}
		return recordRun(ctx, app, j)
	})
	r.Start()
	input := bufio.NewReader(os.Stdin)
	input.ReadString('\n')
	close(opened)
	io.Copy(io.Discard, input)
	if err := r.Stop(context.Background()); err != nil {
		panic(err)
	}
	if err := app.ClearBootstrap(); err != nil {
		panic(err)
	}
}

type childProcess struct {
	command     *exec.Cmd
	input       io.WriteCloser
	outputEnded chan struct{}
}

func spawnChild(t *testing.T, app core.App, lines chan<- string, ahead time.Duration) *childProcess {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+app.DataDir(), childClock+"="+ahead.String())
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	must(t, err)
	output, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	p := &childProcess{command, input, make(chan struct{})}
	t.Cleanup(func() { command.Process.Kill() })
	go func() {
		defer close(p.outputEnded)
		for s := bufio.NewScanner(output); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return p
}

// openGate lets the child's first jobs go on.
func (p *childProcess) openGate(t *testing.T) {
	t.Helper()
	_, err := fmt.Fprintln(p.input)
	must(t, err)
}

// stopChild makes the child stop as it would on SIGTERM.
func (p *childProcess) stopChild(t *testing.T) {
	t.Helper()
	must(t, p.input.Close())
	<-p.outputEnded
	must(t, p.command.Wait())
}

// expectLine returns the next line, which must begin with words.
func expectLine(t *testing.T, lines <-chan string, words string) string {
	t.Helper()
	select {
	case line := <-lines:
		if !strings.HasPrefix(line, words) {
			t.Fatalf("a child says %q, want %q", line, words)
		}
		return line
	case <-time.After(childTimeout):
		t.Fatal("the children are silent")
		return ""
	}
}
