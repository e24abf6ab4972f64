package hookstest

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// waitTimeout is how long a test waits for something that must come.
const waitTimeout = 20 * time.Second

// Message is one event of a stream.
type Message struct {
	Topic  string
	Action string         // create, update or delete
	Record map[string]any // as the client would see it
	Raw    string         // the JSON of the event
}

// Stream is an open realtime connection.
type Stream struct {
	ClientID string

	client   *Client
	t        testing.TB
	messages chan Message
	cancel   context.CancelFunc
}

// Listen opens a realtime connection and subscribes it to topics. The connection ends with the test.
func (c *Client) Listen(topics ...string) *Stream {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, "GET", c.service.URL+"/api/realtime", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request) //nolint:bodyclose // readMessages closes it
	if err != nil {
		c.t.Fatal("open a stream:", err)
	}
	st := &Stream{client: c, t: c.t, messages: make(chan Message, 1024), cancel: cancel}
	go st.readMessages(response)
	connected := st.Next()
	_ = json.Unmarshal([]byte(connected.Raw), &struct {
		ClientID *string `json:"clientId"`
	}{&st.ClientID})
	st.Subscribe(topics...)
	return st
}

// Subscribe replaces the topics of the stream.
func (st *Stream) Subscribe(topics ...string) {
	st.t.Helper()
	st.client.Must(204, "POST", "/api/realtime", map[string]any{"clientId": st.ClientID, "subscriptions": topics})
}

// Next returns the next message. The test ends if none comes in 20 seconds.
func (st *Stream) Next() Message {
	st.t.Helper()
	select {
	case m, open := <-st.messages:
		if !open {
			st.t.Fatal("the stream ended")
		}
		return m
	case <-time.After(waitTimeout):
		st.t.Fatal("no message came")
	}
	return Message{}
}

// AwaitEnd waits until the stream ends. The test ends if it does not in 20 seconds.
func (st *Stream) AwaitEnd() {
	st.t.Helper()
	deadline := time.After(waitTimeout)
	for {
		select {
		case _, open := <-st.messages:
			if !open {
				return
			}
		case <-deadline:
			st.t.Fatal("the stream did not end")
		}
	}
}

// ExpectSilence ends the test if a message has come. It proves something only after a later message of another
// stream, or an answer, has come.
func (st *Stream) ExpectSilence() {
	st.t.Helper()
	select {
	case m, open := <-st.messages:
		if open {
			st.t.Fatalf("unexpected message: %s %s", m.Topic, m.Raw)
		}
	default:
	}
}

// Close cuts the connection.
func (st *Stream) Close() { st.cancel() }

func (st *Stream) readMessages(response *http.Response) {
	defer close(st.messages)
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	var m Message
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "event:"):
			m.Topic = strings.TrimPrefix(line, "event:")
		case strings.HasPrefix(line, "data:"):
			m.Raw = strings.TrimPrefix(line, "data:")
		case line == "":
			_ = json.Unmarshal([]byte(m.Raw), &m) // PB_CONNECT has no action
			st.messages <- m
			m = Message{}
		}
	}
}
