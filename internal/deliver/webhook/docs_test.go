package webhook

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
)

// TestTheReceiverOfTheDocumentation runs the Go program of docs/webhooks.md unchanged. tests/ runs the JavaScript.
func TestTheReceiverOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "webhooks.md"))
	must(t, err)
	_, rest, found := strings.Cut(string(page), "```go\n")
	source, _, closed := strings.Cut(rest, "\n```")
	if !found || !closed {
		t.Fatal("the page has no such program")
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source+"\n"), 0o600))
	build := exec.Command("go", "build", "-o", "receiver", "main.go") // not go run, so that ending it ends the program
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %s", out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	listener.Close()

	s := newTestService(t)
	_, secret := s.addWebhook("http://" + address + "/hook")
	command := exec.Command("./receiver")
	command.Dir = dir
	command.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret, "LISTEN="+address)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := make(chan string, 10)
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	_, other := s.addWebhook("http://" + address + "/hook") // its secret is not the receiver's
	s.emitEvent("like.created", object{"post": "grün"})
	deadline := time.Now().Add(delivertest.WaitTimeout)
	for s.drainJobs(); s.countRows("webhook_deliveries", "state = 'delivered' OR status = 401") < 2; s.drainJobs() { // it takes a moment to start
		if time.Now().After(deadline) {
			t.Fatal("it did not take the one and refuse the other")
		}
		clock.Advance(s.app, 2*time.Second)
	}
	select {
	case line := <-lines:
		if !strings.HasPrefix(line, "evt_") || !strings.Contains(line, `"data":{"post":"grün"}`) {
			t.Errorf("the receiver printed %s", line)
		}
	case <-time.After(delivertest.WaitTimeout):
		t.Fatal("the receiver printed nothing")
	}
	if n := s.countRows("webhook_deliveries", "state = 'delivered'"); n != 1 || other == secret {
		t.Errorf("%d deliveries were taken, want the one with the right secret", n)
	}
}
