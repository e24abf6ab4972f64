package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func getURL(t *testing.T, c *Client, url string) (*Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(request)
}

// startPeer starts a server on loopback and counts its requests.
func startPeer(t *testing.T, answer http.HandlerFunc) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, asked
}

func TestPrivateAddressesAreRefusedInEverySpelling(t *testing.T) {
	reached := make(chan string, 100)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached <- r.Host }))
	server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	port := listener.Addr().(*net.TCPAddr).Port

	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "localhost", "LOCALHOST",
		"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.254",
		"169.254.169.254", "[::ffff:169.254.169.254]", "[fe80::1]", "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[ff02::1]",
		"192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[2001:db8::1]", "[100::1]",
	} {
		for _, c := range []struct {
			scheme   string
			loopback bool
		}{{"https", false}, {"http", false}, {"http", true}, {"https", true}} {
			address := strings.Trim(host, "[]")
			if ip, err := netip.ParseAddr(address); c.loopback && (strings.EqualFold(address, "localhost") || err == nil && ip.Unmap().IsLoopback()) {
				continue // DOUBLETAP_LOOPBACK is for this
			}
			client := New(c.loopback)
			client.Timeout = 300 * time.Millisecond // without the guard it would be a timeout, not a refusal
			_, err := getURL(t, client, fmt.Sprintf("%s://%s:%d/", c.scheme, host, port))
			if !errors.Is(err, ErrForbidden) {
				t.Errorf("%s %s (loopback %v): got %v, want %v", c.scheme, host, c.loopback, err, ErrForbidden)
			}
		}
	}
	// numbers that some resolvers take for addresses are names here, and no such names exist
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.1", "0", "017700000001", "0x7f.1", "localhost."} {
		client := New(false)
		if answer, err := getURL(t, client, fmt.Sprintf("https://%s:%d/", host, port)); err == nil {
			t.Errorf("%s: got %+v, want an error", host, answer)
		}
	}
	select {
	case host := <-reached:
		t.Errorf("%s was reached", host)
	default:
	}
}

func TestANameIsJudgedByWhereItPoints(t *testing.T) {
	_, err := getURL(t, New(false), "https://localhost:1/")
	if !errors.Is(err, ErrForbidden) {
		t.Errorf("got %v, want %v", err, ErrForbidden)
	}
	if strings.Contains(fmt.Sprint(err), "127.0.0.1") || strings.Contains(fmt.Sprint(err), "::1") {
		t.Errorf("the error tells where the name points: %v", err)
	}
}

func TestWhatIsNoPublicAddressIsRefusedBeforeItIsAsked(t *testing.T) {
	for _, url := range []string{"http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://user:word@example.com/", "gopher://example.com", "//example.com"} {
		if _, err := getURL(t, New(true), url); !errors.Is(err, ErrForbidden) {
			if url == "http://example.com/" && err != nil {
				continue // refused because of its address, or there is no DNS here
			}
			t.Errorf("%s: got %v, want %v", url, err, ErrForbidden)
		}
	}
}

func TestTheSwitchOpensLoopback(t *testing.T) {
	url, _ := startPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "short and stout")
	})
	answer, err := getURL(t, New(true), url)
	if err != nil || answer.Status != http.StatusTeapot || string(answer.Body) != "short and stout" || answer.RetryAfter != 7*time.Second {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	secret, asked := startPeer(t, func(http.ResponseWriter, *http.Request) {})
	for _, status := range []int{301, 302, 303, 307, 308} {
		url, _ := startPeer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, secret, status) })
		answer, err := getURL(t, New(true), url)
		if err != nil || answer.Status != status {
			t.Errorf("got %+v, %v, want status %d", answer, err, status)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("followed %d times", n)
	}
}

func TestSlowReceiversAreCutOff(t *testing.T) {
	for what, answer := range map[string]http.HandlerFunc{
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"drop by drop": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				fmt.Fprint(w, ".")
				_ = http.NewResponseController(w).Flush() // until the client is gone
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			url, _ := startPeer(t, answer)
			c := New(true)
			c.Timeout, c.MaxBytes = 200*time.Millisecond, 1<<40
			began := time.Now()
			_, err := getURL(t, c, url)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
				t.Errorf("got %v after %v", err, time.Since(began))
			}
		})
	}
}

func TestEndlessAnswersAreCutOff(t *testing.T) {
	sent := new(atomic.Int64)
	url, _ := startPeer(t, func(w http.ResponseWriter, r *http.Request) {
		for {
			n, err := w.Write(make([]byte, 4096))
			if err != nil {
				return
			}
			sent.Add(int64(n))
		}
	})
	if _, err := getURL(t, New(true), url); !errors.Is(err, ErrAnswerTooLong) {
		t.Errorf("got %v, want %v", err, ErrAnswerTooLong)
	}
	headers, _ := startPeer(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Long", strings.Repeat("x", 1<<20)) })
	if _, err := getURL(t, New(true), headers); err == nil {
		t.Error("a megabyte of headers was read")
	}
	exact, _ := startPeer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 64<<10)) })
	if answer, err := getURL(t, New(true), exact); err != nil || len(answer.Body) != 64<<10 {
		t.Errorf("64 KiB: got %v", err)
	}
}

func TestADestinationThatFailsIsLeftInPeaceAndThenTriedAgain(t *testing.T) {
	broken := new(atomic.Bool)
	broken.Store(true)
	url, asked := startPeer(t, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	other, _ := startPeer(t, func(http.ResponseWriter, *http.Request) {})
	c := New(true)
	c.BreakerTimeout = 50 * time.Millisecond
	for range 5 {
		if answer, err := getURL(t, c, url); err != nil || answer.Status != 500 {
			t.Fatalf("got %+v, %v", answer, err)
		}
	}
	if _, err := getURL(t, c, url); !errors.Is(err, ErrCircuitOpen) {
		t.Errorf("got %v, want %v", err, ErrCircuitOpen)
	}
	if asked.Load() != 5 {
		t.Errorf("asked %d times, want 5", asked.Load())
	}
	if _, err := getURL(t, c, other); err != nil {
		t.Errorf("another destination: %v", err)
	}
	broken.Store(false)
	deadline := time.After(10 * time.Second)
	for {
		answer, err := getURL(t, c, url)
		if err == nil && answer.Status == 200 {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("it never came back: %v", err)
		case <-time.After(c.BreakerTimeout):
		}
	}
	if n := len(c.breakers.hosts); n != 0 {
		t.Errorf("%d hosts are remembered although they work", n)
	}
}

func TestWhatADestinationThinksOfARequestIsNoFailure(t *testing.T) {
	url, asked := startPeer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	c := New(true)
	for range 20 {
		if _, err := getURL(t, c, url); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 20 {
		t.Errorf("asked %d times, want 20", asked.Load())
	}
}

func TestDeadDestinationsAreAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if _, err := getURL(t, New(true), "http://"+listener.Addr().String()); err == nil {
		t.Error("got no error")
	}
}

func TestHostsOfStrangersAreForgotten(t *testing.T) {
	c := New(false)
	for i := range maxHosts + 100 {
		end, err := c.breakers.beginRequest(c, fmt.Sprint("host", i))
		if err != nil {
			t.Fatal(err)
		}
		end(errors.New("dead"))
	}
	if n := len(c.breakers.hosts); n != maxHosts {
		t.Errorf("%d hosts are remembered, want %d", n, maxHosts)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "99999999": 24 * time.Hour, "9999999999999999999": 0,
		"Sat, 21 Nov 2026 10:01:00 GMT": time.Minute, "Sat, 21 Nov 2026 09:00:00 GMT": 0,
	} {
		if got := parseRetryAfter(value, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

func TestThatWeStoppedIsNoFailureOfTheDestination(t *testing.T) {
	url, _ := startPeer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := New(true)
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		go cancel()
		if _, err := c.Do(request); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want %v", err, context.Canceled)
		}
	}
}
