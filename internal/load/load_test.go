package load

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestLineReadsEveryKindOfAnswer reads every form of answer that a server may send, over one connection.
func TestLineReadsEveryKindOfAnswer(t *testing.T) {
	long := strings.Repeat("0123456789", 2000)
	mux := http.NewServeMux()
	mux.HandleFunc("/short", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Authorization")) })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, long) }) // chunked
	mux.HandleFunc("/empty", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	line, err := DialClient(strings.TrimPrefix(server.URL, "http://"), 300)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	for range 2 {
		for _, c := range []struct{ path, want, failure string }{
			{"/short", "secret", ""},
			{"/long", long, ""},
			{"/empty", "", ""},
			{"/busy", "", "refused"},
			{"/missing", "", "404"},
		} {
			body, err := line.SendRequest(Request{Method: "POST", Path: c.path, Token: "secret", Body: []byte("{}")})
			if string(body) != c.want {
				t.Errorf("%s: got %d bytes, want %d", c.path, len(body), len(c.want))
			}
			if (err == nil) != (c.failure == "") || err != nil && !strings.Contains(err.Error(), c.failure) {
				t.Errorf("%s: got %v, want %q", c.path, err, c.failure)
			}
		}
	}
	if line.retryAfter != 3*time.Second {
		t.Errorf("asked to wait %v, want 3s", line.retryAfter)
	}
}

// TestLoopDoesEachStepOnce also refuses the first try of each hundredth step.
func TestLoopDoesEachStepOnce(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	var done [1000]atomic.Int64
	var sent atomic.Int64
	l := &closedLoop{Target: &Target{Address: strings.TrimPrefix(server.URL, "http://")}, workerCount: 7, steps: len(done), step: func(_, n int, _ *ClientConn) error {
		if n%100 == 0 && sent.Add(1)%2 == 1 {
			return errRefused
		}
		done[n].Add(1)
		return nil
	}}
	m, err := l.measureLoop(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for n := range done {
		if got := done[n].Load(); got != 1 {
			t.Fatalf("step %d was done %d times", n, got)
		}
	}
	if m[Count] != 1000 || m[Refused] == 0 {
		t.Errorf("got %v", m)
	}
}

func TestFigures(t *testing.T) {
	var took []time.Duration
	for n := range 100 {
		took = append(took, time.Duration(100-n)*time.Millisecond)
	}
	m := summarize(took, 2*time.Second, time.Second)
	for name, want := range map[string]float64{Rate: 50, P50: 51, P99: 100, CPU: 10_000, Count: 100} {
		if m[name] != want {
			t.Errorf("%s: got %g, want %g", name, m[name], want)
		}
	}
}

// TestStreamReadsLongMessages reads messages that are longer than the buffer and arrive in pieces.
func TestStreamReadsLongMessages(t *testing.T) {
	long := strings.Repeat("x", 5000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "id:1\nevent:PB_CONNECT\ndata:{\"clientId\":\"abc\"}\n\n")
		w.(http.Flusher).Flush()
		fmt.Fprintf(w, "id:1\nevent:notifications/*\ndata:%s\n\nid:1\nevent:notifications/*\ndata:short\n\n", long)
	}))
	defer server.Close()
	s, err := connectStream(strings.TrimPrefix(server.URL, "http://"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.conn.Close()
	if s.id != "abc" {
		t.Errorf("got id %q", s.id)
	}
	var got []string
	if err := s.readMessages(func(data []byte, _ time.Time) { got = append(got, string(data)) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0] != long || got[1] != "short" {
		t.Errorf("got %d messages", len(got))
	}
}
