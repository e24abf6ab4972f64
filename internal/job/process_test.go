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

	"doubletap/internal/clock"
)

const (
	childDir   = "DOUBLETAP_JOB_CHILD" // the data folder of a child, which this test binary then is
	childClock = "DOUBLETAP_JOB_CLOCK" // how far the child's clock is ahead
	patience   = 2 * time.Minute
)

func TestThreeProcessesOnOneFileRunNoJobTwice(t *testing.T) {
	app := newApp(t)
	lines := make(chan string, 100)
	children := []*process{spawn(t, app, lines, 0), spawn(t, app, lines, 0), spawn(t, app, lines, 0)}
	execute(t, app, createRuns, nil)
	add3000(t, app)
	for range children {
		expect(t, lines, "begun") // so that the quickest does not do it all alone
	}
	began := time.Now()
	for _, c := range children {
		c.begin(t)
	}
	done := map[string]bool{}
	for len(done) < 3000 {
		done[expect(t, lines, "job ")] = true
	}
	t.Logf("3,000 jobs in %v", time.Since(began))
	for _, c := range children {
		c.end(t)
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
	if left := rows(t, app); len(left) != 0 {
		t.Errorf("%d jobs are left, the first %+v", len(left), left[0])
	}
}

// The clocks of those who live are ahead, so that the leases of the dead are over and their own are long: a machine
// that stands still for a moment makes nobody's job another's.
func TestJobsOfAKilledProcessAreDoneByTheOthers(t *testing.T) {
	app := newApp(t)
	lines := make(chan string, 100)
	execute(t, app, createRuns, nil)
	must(t, Add(app, "hang", nil, At(clock.Now(app).Add(-time.Hour))))
	add3000(t, app)
	victim := spawn(t, app, lines, 0)
	victim.begin(t)
	done := map[string]bool{}
	hangs := ""
	for hangs == "" || len(done) < 500 {
		switch line := expect(t, lines, ""); {
		case strings.HasPrefix(line, "job "):
			done[line] = true
		case strings.HasPrefix(line, "hang "):
			hangs = strings.Replace(line, "hang ", "job ", 1)
		}
	}
	others := []*process{spawn(t, app, lines, time.Minute), spawn(t, app, lines, time.Minute)}
	must(t, victim.command.Process.Kill())
	for _, c := range others {
		c.begin(t)
	}
	for len(done) < 3001 {
		if line := expect(t, lines, ""); strings.HasPrefix(line, "job ") {
			done[line] = true
		}
	}
	if !done[hangs] {
		t.Error("the job that hung when its process was killed is not done")
	}
	for _, c := range others {
		c.end(t)
	}

	// what the victim did without living to write it down is done again
	r := NewRunner(app)
	r.Handle("count", count)
	clock.Advance(app, 2*time.Minute)
	again, err := r.Drain(context.Background())
	must(t, err)
	if left := rows(t, app); len(left) != 0 {
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

// createRuns has a key that two runs of one claim would break.
const createRuns = "CREATE TABLE runs (job TEXT, attempts INT, worker TEXT, PRIMARY KEY (job, attempts))"

func add3000(t *testing.T, app core.App) {
	must(t, app.RunInTransaction(func(tx core.App) error {
		for i := range 3000 {
			must(t, Add(tx, "count", i))
		}
		return nil
	}))
}

// count notes that it ran, and says so.
func count(_ context.Context, app core.App, j *Job) error {
	_, err := app.NonconcurrentDB().NewQuery("INSERT INTO runs VALUES ({:job}, {:attempts}, {:worker})").
		Bind(dbx.Params{"job": j.ID, "attempts": j.Attempts, "worker": j.worker}).Execute()
	if err == nil {
		fmt.Println("job", j.ID)
	}
	return err
}

// child waits in its first jobs for a line on standard input, and runs jobs until that ends.
func child(dir string) {
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
		return count(ctx, app, j)
	})
	r.Handle("hang", func(ctx context.Context, app core.App, j *Job) error {
		if j.Attempts == 1 {
			fmt.Println("hang", j.ID)
			<-ctx.Done()
		}
		return count(ctx, app, j)
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

type process struct {
	command *exec.Cmd
	input   io.WriteCloser
	read    chan struct{}
}

func spawn(t *testing.T, app core.App, lines chan<- string, ahead time.Duration) *process {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+app.DataDir(), childClock+"="+ahead.String())
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	must(t, err)
	output, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	p := &process{command, input, make(chan struct{})}
	t.Cleanup(func() { command.Process.Kill() })
	go func() {
		defer close(p.read)
		for s := bufio.NewScanner(output); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return p
}

// begin opens the gate of the child.
func (p *process) begin(t *testing.T) {
	t.Helper()
	_, err := fmt.Fprintln(p.input)
	must(t, err)
}

// end has the child stop as it would on SIGTERM.
func (p *process) end(t *testing.T) {
	t.Helper()
	must(t, p.input.Close())
	<-p.read
	must(t, p.command.Wait())
}

// expect returns the next line, which shall begin with these words.
func expect(t *testing.T, lines <-chan string, words string) string {
	t.Helper()
	select {
	case line := <-lines:
		if !strings.HasPrefix(line, words) {
			t.Fatalf("a child says %q, want %q", line, words)
		}
		return line
	case <-time.After(patience):
		t.Fatal("the children are silent")
		return ""
	}
}
