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

	"doubletap/internal/clock"
	"doubletap/internal/deliver/delivertest"
)

// TestTheReceiversOfTheDocumentation runs what docs/deliver.md tells people to run.
func TestTheReceiversOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "deliver.md"))
	must(t, err)
	for _, c := range []struct{ language, file, program string }{{"go", "main.go", "go run"}, {"js", "main.mjs", "node"}} {
		t.Run(c.language, func(t *testing.T) {
			words := strings.Fields(c.program)
			if _, err := exec.LookPath(words[0]); err != nil {
				t.Skip(words[0], "is not here")
			}
			_, rest, found := strings.Cut(string(page), "```"+c.language+"\n")
			source, _, closed := strings.Cut(rest, "\n```")
			if !found || !closed {
				t.Fatal("the page has no such program")
			}
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, c.file), []byte(source+"\n"), 0o600))
			if c.language == "go" { // built, so that ending it ends the program and not only the tool
				build := exec.Command("go", "build", "-o", "receiver", c.file)
				build.Dir = dir
				if out, err := build.CombinedOutput(); err != nil {
					t.Fatalf("build: %s", out)
				}
				words = []string{"./receiver"}
			} else {
				words = append(words, c.file)
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			address := listener.Addr().String()
			listener.Close()

			s := serve(t)
			_, secret := s.add("http://" + address + "/hook")
			command := exec.Command(words[0], words[1:]...)
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
			_, other := s.add("http://" + address + "/hook") // its secret is not the receiver's
			s.emit("like.created", object{"post": "grün"})
			deadline := time.Now().Add(delivertest.Patience)
			for s.drain(); s.count("webhook_deliveries", "state = 'delivered' OR status = 401") < 2; s.drain() { // it takes a moment to start
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
			case <-time.After(delivertest.Patience):
				t.Fatal("the receiver printed nothing")
			}
			if n := s.count("webhook_deliveries", "state = 'delivered'"); n != 1 || other == secret {
				t.Errorf("%d deliveries were taken, want the one with the right secret", n)
			}
		})
	}
}
