package delivertest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Receiver takes webhooks, and refuses those that none of its secrets signed.
type Receiver struct {
	URL string

	t       testing.TB
	mu      sync.Mutex // guards all below
	secrets []string
	answer  http.HandlerFunc
	events  []Event
	tries   []string
	came    chan struct{}
}

// Event is a webhook that came and was verified.
type Event struct {
	ID        string
	Type      string
	Timestamp time.Time
	Data      map[string]any
	Raw       string
}

// NewReceiver starts a receiver that ends with the test.
func NewReceiver(t testing.TB, secrets ...string) *Receiver {
	t.Helper()
	r := &Receiver{t: t, secrets: secrets, came: make(chan struct{}, 100_000)}
	server := httptest.NewServer(r)
	r.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return r
}

// Expect sets the secrets that it takes.
func (r *Receiver) Expect(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = secrets
}

// Answer has it answer with h instead of looking at what came; nil ends that.
func (r *Receiver) Answer(h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = h
}

// Status has it answer with a status and no more.
func (r *Receiver) Status(code int) {
	r.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// Events returns what came and was verified so far.
func (r *Receiver) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.events...)
}

// Tries returns the event id of every request so far, whatever became of it.
func (r *Receiver) Tries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.tries...)
}

// Wait returns once n further events came.
func (r *Receiver) Wait(n int) {
	r.t.Helper()
	for range n {
		select {
		case <-r.came:
		case <-time.After(Patience):
			r.t.Fatalf("no event came; %d so far", len(r.Events()))
		}
	}
}

func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.tries = append(r.tries, request.Header.Get("webhook-id"))
	answer, secrets := r.answer, r.secrets
	r.mu.Unlock()
	if answer != nil {
		answer(w, request)
		return
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the sender went away
	}
	for _, secret := range secrets {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err != nil || verifier.Verify(body, request.Header) != nil {
			continue
		}
		event := Event{ID: request.Header.Get("webhook-id"), Raw: string(body)}
		var envelope struct {
			Type      string
			Timestamp time.Time
			Data      map[string]any
		}
		if err := json.Unmarshal(body, &envelope); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		event.Type, event.Timestamp, event.Data = envelope.Type, envelope.Timestamp, envelope.Data
		r.mu.Lock()
		r.events = append(r.events, event)
		r.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
		r.came <- struct{}{}
		return
	}
	w.WriteHeader(http.StatusUnauthorized)
}
