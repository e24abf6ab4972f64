package delivertest

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	gomail "github.com/emersion/go-message/mail" // reads what mail programs read
	"github.com/emersion/go-smtp"                // a mail server to send to
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

// Post is a mail server and its mailboxes.
type Post struct {
	t      testing.TB
	addr   *net.TCPAddr
	mu     sync.Mutex // guards all below
	refuse map[string]*smtp.SMTPError
	after  func() error
	mails  []Mail
}

// Mail is a mail as a mail program reads it.
type Mail struct {
	From, To   string // of the envelope
	Subject    string
	Header     gomail.Header
	HTML, Text string
}

// NewPost starts a mail server that ends with the test.
func NewPost(t testing.TB) *Post {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Post{t: t, addr: listener.Addr().(*net.TCPAddr), refuse: map[string]*smtp.SMTPError{}}
	server := smtp.NewServer(p)
	server.Domain = "localhost"
	go server.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { server.Close() })
	return p
}

// Carrier, bound to OnMailerSend, has mails go through the server, over SMTP, instead of into the box of the test kit.
func (p *Post) Carrier() *hook.Handler[*core.MailerEvent] {
	return &hook.Handler[*core.MailerEvent]{Priority: 9000, Func: func(e *core.MailerEvent) error {
		return (&mailer.SMTPClient{Host: "127.0.0.1", Port: p.addr.Port}).Send(e.Message)
	}}
}

// Refuse has it refuse a recipient with a code, such as 550 and 5.1.1; code 0 ends that.
func (p *Post) Refuse(address string, code int, enhanced [3]int, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse[address] = &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
	if code == 0 {
		delete(p.refuse, address)
	}
}

// After has fn decide what it answers once it has a mail; nil ends that.
func (p *Post) After(fn func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = fn
}

// Port is where it listens, on loopback.
func (p *Post) Port() int { return p.addr.Port }

// Mails returns what came so far.
func (p *Post) Mails() []Mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Mail(nil), p.mails...)
}

// NewSession begins a conversation.
func (p *Post) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{p: p}, nil }

type session struct {
	p        *Post
	from, to string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.from = from
	if refusal := s.p.refuse[from]; refusal != nil {
		return refusal
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.to = to
	if refusal := s.p.refuse[to]; refusal != nil {
		return refusal
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	reader, err := gomail.CreateReader(r)
	if err != nil {
		return err
	}
	m := Mail{From: s.from, To: s.to, Header: reader.Header}
	if m.Subject, err = reader.Header.Subject(); err != nil {
		return err
	}
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		text, err := io.ReadAll(part.Body)
		if err != nil {
			return err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = string(text)
		} else {
			m.Text = string(text)
		}
	}
	s.p.mu.Lock()
	s.p.mails = append(s.p.mails, m)
	after := s.p.after
	s.p.mu.Unlock()
	if after != nil {
		return after()
	}
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
