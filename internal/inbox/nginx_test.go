package inbox

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/doubletap/doubletap/internal/photo/phototest"
)

// nginxConfig is nginx's default behaviour, HTTP/1.0 and buffers included, except that it gives up a silent service
// after 2 seconds instead of 60.
const nginxConfig = `
daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server { listen %[2]s; location / { proxy_pass %[3]s; proxy_read_timeout 2s; } }
}
`

// behindNginx returns the address of an nginx in front of a service.
func behindNginx(t *testing.T, service string) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	requireNoError(t, err)
	address, dir := socket.Addr().String(), t.TempDir()
	requireNoError(t, socket.Close())
	config := filepath.Join(dir, "nginx.conf")
	requireNoError(t, os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, address, service), 0o600))
	var said strings.Builder
	cmd := phototest.RequireProgram(t, "nginx", "-c", config, "-e", "stderr")
	cmd.Stderr = &said
	requireNoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		if response, err := http.Get("http://" + address + "/api/health"); err == nil {
			response.Body.Close()
			return "http://" + address
		}
		select {
		case <-ended:
			t.Fatal("nginx ended: ", said.String())
		default:
		}
	}
}

// A stream behind nginx's defaults lives for as long as it is sent heartbeats, and its messages arrive at once and
// whole.
func TestStreamsOutliveNginxsTimeout(t *testing.T) {
	t.Parallel() // it waits for nginx
	for name, beats := range map[string]bool{"with heartbeats": true, "without any": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startService(t)
			s.inbox.checkInterval, s.inbox.heartbeatInterval = time.Millisecond, 20*time.Millisecond
			if !beats {
				s.inbox.heartbeatInterval = time.Hour
			}
			response, err := http.Get(behindNginx(t, s.server.URL) + "/api/realtime")
			requireNoError(t, err)
			defer response.Body.Close()
			lines := bufio.NewReader(response.Body)
			if !beats {
				requireWithin(t, "nginx to lose its patience", func() {
					if _, err := io.Copy(io.Discard, lines); err == nil {
						t.Error("nginx ended the stream as if it were over")
					}
				})
				return
			}
			read := func() string {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatal("the stream broke off: ", err)
				}
				return line
			}
			id := ""
			for began := time.Now(); time.Since(began) < 5*time.Second; { // more than twice nginx's timeout
				if found := regexp.MustCompile(`^id:(\w+)`).FindStringSubmatch(read()); found != nil {
					id = found[1]
				}
			}
			s.findDevice(id).Send(subscriptions.Message{Name: "one", Data: []byte("{}")})
			for read() != "event:one\n" {
			}
			if line := read(); line != "data:{}\n" {
				t.Errorf("got %q", line)
			}
		})
	}
}
