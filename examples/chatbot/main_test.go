package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
)

func TestWhatIsToldIsReadInTheRoom(t *testing.T) {
	var mu sync.Mutex
	var read []string
	status := http.StatusBadGateway
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		if w.WriteHeader(status); status == http.StatusOK {
			read = append(read, string(body))
		}
	}))
	defer chat.Close()
	rooms := Rooms{}
	s := hookstest.New(t, rooms.Extend)
	rooms[s.As("ada").ID] = chat.URL
	post := s.As("ada").Post("hello")
	s.As("bob").Like(post)
	s.As("ada").Comment(post, "", "nobody is told of this")
	s.RunJobs() // the room answers 502
	mu.Lock()
	status = http.StatusOK
	mu.Unlock()
	s.Advance(time.Minute)
	s.RunJobs()
	s.As("carol").Comment(post, "", "nice")
	s.RunJobs()
	if want := []string{`{"text":"@bob: like"}`, `{"text":"@carol: comment"}`}; !slices.Equal(read, want) {
		t.Errorf("the room reads %q, want %q", read, want)
	}
}
