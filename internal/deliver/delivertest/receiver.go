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

// Receiver receives webhooks, and refuses those that none of its secrets signed.
type Receiver struct {
	URL string

	t        testing.TB
	mu       sync.Mutex // guards all below
	secrets  []string
	answer   http.HandlerFunc
	events   []ReceivedEvent
	attempts []string
	came     chan struct{}
}

// ReceivedEvent is a webhook event that came and was verified.
type ReceivedEvent struct {
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

// SetSecrets sets the secrets whose signatures are accepted.
func (r *Receiver) SetSecrets(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = secrets
}

// SetAnswer has h answer requests, without looking at the events. nil ends that.
func (r *Receiver) SetAnswer(h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = h
}

// SetStatus makes the receiver answer with a status and nothing else.
func (r *Receiver) SetStatus(code int) {
	r.SetAnswer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// ReceivedEvents returns the events that came and were verified so far.
func (r *Receiver) ReceivedEvents() []ReceivedEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]ReceivedEvent(nil), r.events...)
}

// AttemptedIDs returns the event id of every request so far, whether it was accepted or not.
func (r *Receiver) AttemptedIDs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.attempts...)
}

// WaitForEvents returns once n more events have come.
func (r *Receiver) WaitForEvents(n int) {
	r.t.Helper()
	for range n {
		select {
		case <-r.came:
		case <-time.After(WaitTimeout):
			r.t.Fatalf("no event came; %d so far", len(r.ReceivedEvents()))
		}
	}
}

func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.attempts = append(r.attempts, request.Header.Get("webhook-id"))
	answer, secrets := r.answer, r.secrets
	r.mu.Unlock()
	if answer != nil {
		answer(w, request)
		return
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the sender is gone
	}
	for _, secret := range secrets {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err != nil || verifier.Verify(body, request.Header) != nil {
			continue
		}
		event := ReceivedEvent{ID: request.Header.Get("webhook-id"), Raw: string(body)}
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
