package subject

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Server is a running subject.
type Server struct {
	Subject
	Address   string
	Dir       string
	ColdStart time.Duration // from the start of the process to the first answer
	cmd       *exec.Cmd
	log       *os.File
	done      chan struct{} // closed when the process has ended
}

// Start serves a data folder on a free port of the loopback interface and returns when the server answers.
func Start(ctx context.Context, s Subject, program, dir string) (*Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(dir + ".log")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve", "--dev=false", "--http="+address, "--dir="+dir)
	cmd.Env = append(append(plainEnvironment(), unreachedLimits), s.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // so that the server does not outlive the benchmark
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	server := &Server{Subject: s, Address: address, Dir: dir, cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // its log shows how it ended
		close(server.done)
	}()
	if err := server.awaitAnswer(ctx, start); err != nil {
		server.Stop()
		return nil, err
	}
	return server, nil
}

// unreachedLimits are limits that count, as shipped ones do, and that no load reaches.
const unreachedLimits = "DOUBLETAP_LIMITS=reads=1000000000/1h,reads-address=1000000000/1h,likes=1000000000/1h,follows=1000000000/1h,comments=1000000000/1h"

// plainEnvironment returns our environment without what would configure a subject, which is measured with its
// defaults.
func plainEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "DOUBLETAP_") || strings.HasPrefix(entry, "PB_") || strings.HasPrefix(entry, "OTEL_")
	})
}

// freeAddress returns an address of the loopback interface that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *Server) awaitAnswer(ctx context.Context, start time.Time) error {
	for time.Since(start) < time.Minute {
		answer, err := http.Get("http://" + s.Address + "/api/health")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				s.ColdStart = time.Since(start)
				return nil
			}
		}
		select {
		case <-s.done:
			return fmt.Errorf("%s ended at once: %s", s.Name, s.logText())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Microsecond):
		}
	}
	return fmt.Errorf("%s does not answer: %s", s.Name, s.logText())
}

// logText returns what the server has printed.
func (s *Server) logText() string {
	text, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// Stop ends the server and waits until it has ended. A second call does nothing.
func (s *Server) Stop() {
	s.Resume()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	s.log.Close()
}

// Freeze suspends the process, so that its background work takes no time from another subject; Resume lets it go on.
func (s *Server) Freeze() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a frozen process continue.
func (s *Server) Resume() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }

// Signal sends the process a signal.
func (s *Server) Signal(signal os.Signal) error { return s.cmd.Process.Signal(signal) }

// CPUTime returns the processor time that the server has used, or 0 if that cannot be read. It comes from the clock
// that the kernel keeps for the process in nanoseconds; /proc/PID/stat shows the same sum in hundredths of a second.
func (s *Server) CPUTime() time.Duration {
	var ts syscall.Timespec
	clock := uintptr(^s.cmd.Process.Pid<<3 | 2)
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(int32(clock)), uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 0
	}
	return time.Duration(ts.Nano())
}

// Memory returns the server's resident memory in bytes. A page of a file that several connections have mapped counts
// only once, unlike in VmRSS.
func (s *Server) Memory() (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kilobytes int64
		if _, err := fmt.Sscanf(lines.Text(), "Pss: %d kB", &kilobytes); err == nil {
			return kilobytes << 10, nil
		}
	}
	return 0, errors.New("no Pss")
}
