package inbox

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Crowd is many clients in a process of their own, so that their memory and their files do not count as the service's.
type Crowd struct {
	t       testing.TB
	orders  *json.Encoder
	reports *json.Decoder
}

// crowdOrder is what a crowd is asked to do. A field that is not set asks for nothing.
type crowdOrder struct {
	Connect *connectOrder
	Compare map[string]TrayRows // by token
}

type connectOrder struct {
	URL    string
	Tokens []string // one for each client
	Topics []string
	Within time.Duration
	Keep   bool // keep the rows and catch up
}

// TrayRows is a person's notifications: seq by id.
type TrayRows map[string]int64

type crowdReport struct {
	Took  time.Duration
	Wrong []string // what is not as it should be
}

const crowdEnvKey = "DOUBLETAP_TEST_CROWD" // the environment variable of the crowd's process

// NewCrowd starts the process. It ends with the test.
func NewCrowd(t testing.TB) *Crowd {
	t.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), crowdEnvKey+"=1")
	program.Stderr = os.Stderr
	in, err := program.StdinPipe()
	requireNoError(t, err)
	out, err := program.StdoutPipe()
	requireNoError(t, err)
	requireNoError(t, program.Start())
	t.Cleanup(func() {
		in.Close()
		if err := program.Wait(); err != nil {
			t.Error("the crowd's process:", err)
		}
	})
	return &Crowd{t, json.NewEncoder(in), json.NewDecoder(out)}
}

func (c *Crowd) sendOrder(o crowdOrder) crowdReport {
	c.t.Helper()
	requireNoError(c.t, c.orders.Encode(o))
	var r crowdReport
	requireNoError(c.t, c.reports.Decode(&r))
	for _, wrong := range r.Wrong {
		c.t.Error(wrong)
	}
	if c.t.Failed() {
		c.t.FailNow()
	}
	return r
}

// Connect cuts all connections and connects a client for each token, evenly within this time or as soon as possible
// after it. It returns how long it took until all had subscribed.
func (c *Crowd) Connect(url string, tokens, topics []string, within time.Duration, keep bool) time.Duration {
	c.t.Helper()
	return c.sendOrder(crowdOrder{Connect: &connectOrder{url, tokens, topics, within, keep}}).Took
}

// Compare waits until each client has the rows that its person has.
func (c *Crowd) Compare(want map[string]TrayRows) {
	c.t.Helper()
	c.sendOrder(crowdOrder{Compare: want})
}

// runCrowd is what the crowd's process runs.
func runCrowd() {
	orders, reports := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	var clients []*client
	for {
		var o crowdOrder
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, "crowd:", err)
			os.Exit(1)
		}
		var r crowdReport
		if o.Connect != nil {
			clients, r = connectAll(clients, o.Connect)
		} else {
			r.Wrong = compareAll(clients, o.Compare)
		}
		if err := reports.Encode(r); err != nil {
			os.Exit(1)
		}
	}
}

const (
	maxConnecting = 16  // clients that connect at once
	maxCatchingUp = 256 // clients that catch up at once: PocketBase delays the answer by some 100 ms when it finds nothing
)

func connectAll(clients []*client, o *connectOrder) ([]*client, crowdReport) {
	for len(clients) < len(o.Tokens) {
		clients = append(clients, &client{order: o, token: o.Tokens[len(clients)], rows: TrayRows{}, changed: make(chan struct{}, 1)})
	}
	for _, c := range clients {
		c.cutConnection()
	}
	clients = clients[:len(o.Tokens)]
	var wrong firstErrors
	start := time.Now()
	forEachClient(clients, maxConnecting, func(i int, c *client) {
		<-time.After(time.Until(start.Add(o.Within * time.Duration(i) / time.Duration(len(clients)))))
		wrong.addError(c.connectStream())
	})
	took := time.Since(start)
	if o.Keep && wrong.all == nil {
		forEachClient(clients, maxCatchingUp, func(_ int, c *client) { wrong.addError(c.catchUp()) })
	}
	return clients, crowdReport{took, wrong.all}
}

func compareAll(clients []*client, want map[string]TrayRows) []string {
	var wrong firstErrors
	late := time.Now().Add(2 * eventTimeout)
	forEachClient(clients, maxConnecting, func(_ int, c *client) { wrong.addError(c.compareRows(want[c.token], late)) })
	return wrong.all
}

func forEachClient(clients []*client, atOnce int, do func(int, *client)) {
	var all sync.WaitGroup
	for first := range atOnce {
		all.Go(func() {
			for i := first; i < len(clients); i += atOnce {
				do(i, clients[i])
			}
		})
	}
	all.Wait()
}

// firstErrors collects the first few errors.
type firstErrors struct {
	mu  sync.Mutex
	all []string
}

func (t *firstErrors) addError(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && len(t.all) < 10 {
		t.all = append(t.all, err.Error())
	}
}

// client listens like an app that shows a person's tray: after each connect it asks for what it missed, and applies
// what is sent meanwhile after that.
type client struct {
	order   *connectOrder
	token   string
	conn    net.Conn
	ended   chan struct{}
	changed chan struct{}

	mu    sync.Mutex
	seq   int64 // the seq up to which it has all
	rows  TrayRows
	early []sentEvent // what was sent while it caught up
	ready bool
}

type sentEvent struct {
	Action string
	Record sentRow
}

type sentRow struct {
	ID           string
	Seq          int64
	Notification string // of a retraction
}

var crowdHTTPClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxCatchingUp}, Timeout: eventTimeout}

func (c *client) cutConnection() {
	if c.conn != nil {
		c.conn.(*net.TCPConn).SetLinger(0) // without a proper end
		c.conn.Close()
		<-c.ended
	}
}

func (c *client) connectStream() error {
	c.mu.Lock()
	c.ready = false
	c.mu.Unlock()
	address, err := url.Parse(c.order.URL)
	if err != nil {
		return err
	}
	if c.conn, err = net.Dial("tcp", address.Host); err != nil {
		return err
	}
	c.ended = make(chan struct{})
	_ = c.conn.SetDeadline(time.Now().Add(eventTimeout))
	fmt.Fprintf(c.conn, "GET /api/realtime HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\nAccept-Language: en\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\r\n", address.Host)
	answer, err := http.ReadResponse(bufio.NewReaderSize(c.conn, 1024), nil)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	events := bufio.NewReaderSize(answer.Body, 1024)
	name, data, err := nextEvent(events)
	if err != nil || name != "PB_CONNECT" {
		return fmt.Errorf("connect: status %d, %s %s first: %w", answer.StatusCode, name, data, err)
	}
	_ = c.conn.SetDeadline(time.Time{})
	var hello struct{ ClientID string }
	if err := json.Unmarshal(data, &hello); err != nil {
		return err
	}
	go c.readStream(events)
	if err := c.sendRequest("POST", "/api/realtime", map[string]any{"clientId": hello.ClientID, "subscriptions": c.order.Topics}, nil); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// catchUp asks for what changed after the last seq.
func (c *client) catchUp() error {
	var rows, gone struct{ Items []sentRow }
	query := fmt.Sprintf("/records?perPage=200&skipTotal=1&sort=seq&filter=seq>%d", c.seq)
	for path, into := range map[string]any{"notifications": &rows, "retractions": &gone} {
		if err := c.sendRequest("GET", "/api/collections/"+path+query, nil, into); err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, row := range rows.Items {
		c.rows[row.ID] = row.Seq
		c.seq = max(c.seq, row.Seq)
	}
	for _, row := range gone.Items {
		if c.rows[row.Notification] < row.Seq {
			delete(c.rows, row.Notification)
		}
		c.seq = max(c.seq, row.Seq)
	}
	for _, n := range c.early {
		c.applyEvent(n)
	}
	c.early, c.ready = nil, true
	return nil
}

// applyEvent needs mu.
func (c *client) applyEvent(n sentEvent) {
	if n.Action == "delete" {
		delete(c.rows, n.Record.ID)
		return
	}
	if n.Record.Seq >= c.rows[n.Record.ID] {
		c.rows[n.Record.ID] = n.Record.Seq
	}
	c.seq = max(c.seq, n.Record.Seq)
}

func (c *client) readStream(events *bufio.Reader) {
	defer close(c.ended)
	for {
		_, data, err := nextEvent(events)
		if err != nil {
			return
		}
		var n sentEvent
		if !c.order.Keep || json.Unmarshal(data, &n) != nil {
			continue
		}
		c.mu.Lock()
		if c.ready {
			c.applyEvent(n)
		} else {
			c.early = append(c.early, n)
		}
		c.mu.Unlock()
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
}

// compareRows waits until the rows, as changed by the connection alone, are as wanted.
func (c *client) compareRows(want TrayRows, late time.Time) error {
	over := time.After(time.Until(late))
	for {
		c.mu.Lock()
		same, got := maps.Equal(c.rows, want), fmt.Sprint(c.rows)
		c.mu.Unlock()
		if same {
			return nil
		}
		select {
		case <-c.changed:
		case <-c.ended:
			return fmt.Errorf("a connection is over; its client has %s, want %v", got, want)
		case <-over:
			return fmt.Errorf("a client has %s, want %v", got, want)
		}
	}
}

func (c *client) sendRequest(method, path string, body, into any) error {
	return c.tryRequest(method, path, body, into, 10)
}

// tryRequest sends a request, and sends it again up to again times while the service is too busy.
func (c *client) tryRequest(method, path string, body, into any, again int) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, c.order.URL+strings.ReplaceAll(path, ">", "%3E"), bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", c.token)
	response, err := crowdHTTPClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "" && again > 0 {
		return c.tryRequest(method, path, body, into, again-1) // as a device does after such an answer
	}
	if err != nil || response.StatusCode >= 300 {
		return cmp.Or(err, fmt.Errorf("%s %s: status %d: %s", method, path, response.StatusCode, answer))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// nextEvent reads an event of a stream.
func nextEvent(r *bufio.Reader) (name string, data []byte, err error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", nil, err
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		switch key {
		case "event":
			name = value
		case "data":
			data = []byte(value)
		case "":
			return name, data, nil
		}
	}
}
