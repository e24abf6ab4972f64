package load

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"sync"
	"time"
)

// stream is one open realtime connection. It takes only a socket, a small buffer and a goroutine, so that 10,000 of
// them fit on the server's machine.
type stream struct {
	conn    net.Conn
	in      *bufio.Reader
	id      string
	reading sync.WaitGroup
}

// close disconnects, and waits for whoever reads.
func (s *stream) close() {
	s.conn.Close()
	s.reading.Wait()
}

// connectStream opens a stream as the nth client and reads its id.
func connectStream(address string, n int) (*stream, error) {
	conn, err := dialAsClient(address, n)
	if err != nil {
		return nil, err
	}
	s := &stream{conn: conn, in: bufio.NewReaderSize(conn, 1024)}
	err = s.openStream(address)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("open a stream: %w", err)
	}
	return s, nil
}

func (s *stream) openStream(address string) error {
	if err := s.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if _, err := s.conn.Write(appendHead(nil, address, Request{Method: "GET", Path: "/api/realtime"})); err != nil {
		return err
	}
	status, _, chunked, err := readResponseHead(s.in, nil)
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("status %d", status)
	}
	if chunked {
		s.in = bufio.NewReaderSize(httputil.NewChunkedReader(s.in), 1024)
	}
	event, data, err := s.nextMessage()
	if err != nil {
		return err
	}
	var hello struct{ ClientID string }
	if err := json.Unmarshal(data, &hello); err != nil || event != "PB_CONNECT" {
		return fmt.Errorf("%s came first, with %s", event, data)
	}
	s.id = hello.ClientID
	return s.conn.SetDeadline(time.Time{})
}

// nextMessage returns the next message; its data is valid until the next call.
func (s *stream) nextMessage() (event string, data []byte, err error) {
	for {
		line, err := s.in.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) { // a message longer than the buffer
			whole := bytes.Clone(line)
			line, err = s.in.ReadSlice('\n')
			line = append(whole, line...)
		}
		if err != nil {
			return "", nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		key, value, _ := bytes.Cut(line, []byte(":"))
		switch string(key) {
		case "event":
			event = string(value)
		case "data":
			data = bytes.Clone(value)
		case "":
			if event != "" {
				return event, data, nil
			}
		}
	}
}

// subscribe makes the stream listen to the person's notifications, by a request over conn, which must belong to the
// same client.
func (s *stream) subscribe(conn *ClientConn, who Person) error {
	body, err := json.Marshal(map[string]any{"clientId": s.id, "subscriptions": []string{"notifications/*"}})
	if err != nil {
		return err
	}
	_, err = conn.SendRequest(Request{Method: "POST", Path: "/api/realtime", Token: who.Token, Body: body})
	return err
}

// readMessages calls received for each message until the connection ends. It returns nil if the server ended it.
func (s *stream) readMessages(received func(data []byte, at time.Time)) error {
	for {
		_, data, err := s.nextMessage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		received(data, time.Now())
	}
}
