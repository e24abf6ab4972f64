package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"time"
)

// Request is one HTTP request as the JS SDK sends it.
type Request struct {
	Method, Path string
	Token        string
	Type         string // content type of the body; empty means JSON
	Body         []byte
}

// ClientConn is one keep-alive connection of one client with an address of its own. It is not safe for concurrent
// use. It does not use net/http's client, which costs as much CPU as the server's fast answers.
type ClientConn struct {
	host       string
	conn       net.Conn
	in         *bufio.Reader
	out        []byte
	body       bytes.Buffer
	retryAfter time.Duration // how long the server has last said to wait
}

// answerTimeout is how long a connection waits for an answer.
const answerTimeout = 2 * time.Minute

// dialAsClient connects to address as the nth client. On this machine each client has an address of its own in
// 127.0.0.0/8: PocketBase and others count some things by address, and real people rarely share one.
func dialAsClient(address string, n int) (net.Conn, error) {
	if to, err := net.ResolveTCPAddr("tcp", address); err != nil || !to.IP.IsLoopback() {
		return net.DialTimeout("tcp", address, 10*time.Second)
	}
	from := &net.TCPAddr{IP: net.IPv4(127, byte(1+n/62500%200), byte(n/250%250), byte(2+n%250))}
	return (&net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}).Dial("tcp", address)
}

// DialClient connects to address as the nth client, and returns the connection for requests.
func DialClient(address string, n int) (*ClientConn, error) {
	conn, err := dialAsClient(address, n)
	if err != nil {
		return nil, err
	}
	return &ClientConn{host: address, conn: conn, in: bufio.NewReader(conn)}, nil
}

// Close ends the connection.
func (l *ClientConn) Close() { l.conn.Close() }

func appendHead(out []byte, host string, r Request) []byte {
	out = append(out, r.Method...)
	out = append(out, ' ')
	out = append(out, r.Path...)
	out = append(out, " HTTP/1.1\r\nHost: "...)
	out = append(out, host...)
	out = append(out, "\r\nUser-Agent: Mozilla/5.0 (bench)\r\nAccept: */*\r\nAccept-Language: en-US\r\n"...)
	if r.Token != "" {
		out = append(out, "Authorization: "...)
		out = append(out, r.Token...)
		out = append(out, "\r\n"...)
	}
	if r.Method == "POST" {
		kind := r.Type
		if kind == "" {
			kind = "application/json"
		}
		out = append(out, "Content-Type: "...)
		out = append(out, kind...)
		out = append(out, "\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(r.Body)), 10)
		out = append(out, "\r\n"...)
	}
	return append(out, "\r\n"...)
}

// errRefused is a 429 or 503 answer: the server asks to try again later.
var errRefused = errors.New("refused")

// SendRequest sends a request and returns the body of its answer, which the next call overwrites. An
// answer other than 2xx is an error.
func (l *ClientConn) SendRequest(r Request) ([]byte, error) {
	if err := l.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	l.out = append(appendHead(l.out[:0], l.host, r), r.Body...)
	if _, err := l.conn.Write(l.out); err != nil {
		return nil, err
	}
	status, length, chunked, err := readResponseHead(l.in, &l.retryAfter)
	if err != nil {
		return nil, err
	}
	l.body.Reset()
	switch {
	case chunked:
		_, err = l.body.ReadFrom(httputil.NewChunkedReader(l.in))
		if err == nil {
			_, err = l.in.Discard(2) // the empty trailer
		}
	case length > 0:
		_, err = io.CopyN(&l.body, l.in, length)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	if status == 429 || status == 503 {
		return nil, fmt.Errorf("%s %s: %d %s: %w", r.Method, r.Path, status, l.body.Bytes(), errRefused)
	}
	if status < 200 || status > 299 {
		return nil, fmt.Errorf("%s %s: %d %s", r.Method, r.Path, status, l.body.Bytes())
	}
	return l.body.Bytes(), nil
}

// readResponseHead reads the head of an answer. It sets *wait, unless wait is nil, to the time of a Retry-After
// header.
func readResponseHead(in *bufio.Reader, wait *time.Duration) (status int, length int64, chunked bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, 0, false, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, 0, false, fmt.Errorf("not an answer: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, false, err
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, 0, false, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return status, length, chunked, nil
		}
		key, value, _ := bytes.Cut(line, []byte(": "))
		switch string(key) { // spelled as net/http writes them
		case "Content-Length":
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return 0, 0, false, err
			}
		case "Transfer-Encoding":
			chunked = string(value) == "chunked"
		case "Retry-After":
			if seconds, err := strconv.Atoi(string(value)); err == nil && wait != nil {
				*wait = time.Duration(seconds) * time.Second
			}
		}
	}
}
