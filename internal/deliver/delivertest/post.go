package delivertest

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	gomail "github.com/emersion/go-message/mail" // reads mails as mail programs do
	"github.com/emersion/go-smtp"                // a mail server to send to
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

// MailServer is a mail server and its mailboxes.
type MailServer struct {
	t         testing.TB
	addr      *net.TCPAddr
	mu        sync.Mutex // guards all below
	refuse    map[string]*smtp.SMTPError
	afterMail func() error
	mails     []ReceivedMail
}

// ReceivedMail is a mail as a mail program reads it.
type ReceivedMail struct {
	From, To   string // of the envelope
	Subject    string
	Header     gomail.Header
	HTML, Text string
}

// NewMailServer starts a mail server that ends with the test.
func NewMailServer(t testing.TB) *MailServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &MailServer{t: t, addr: listener.Addr().(*net.TCPAddr), refuse: map[string]*smtp.SMTPError{}}
	server := smtp.NewServer(p)
	server.Domain = "localhost"
	go server.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { server.Close() })
	return p
}

// SMTPHandler returns a handler for OnMailerSend that sends mails through the server, over SMTP, instead of
// PocketBase's test mailer.
func (p *MailServer) SMTPHandler() *hook.Handler[*core.MailerEvent] {
	return &hook.Handler[*core.MailerEvent]{Priority: 9000, Func: func(e *core.MailerEvent) error {
		return (&mailer.SMTPClient{Host: "127.0.0.1", Port: p.addr.Port}).Send(e.Message)
	}}
}

// RefuseRecipient makes the server refuse a recipient with a code and an enhanced code, such as 550 and 5.1.1. Code 0
// ends that.
func (p *MailServer) RefuseRecipient(address string, code int, enhanced [3]int, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse[address] = &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
	if code == 0 {
		delete(p.refuse, address)
	}
}

// AfterMail has fn decide what the server answers once it has a mail. nil ends that.
func (p *MailServer) AfterMail(fn func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.afterMail = fn
}

// Port returns the port on loopback.
func (p *MailServer) Port() int { return p.addr.Port }

// ReceivedMails returns the mails so far.
func (p *MailServer) ReceivedMails() []ReceivedMail {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]ReceivedMail(nil), p.mails...)
}

// NewSession implements smtp.Backend.
func (p *MailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: p}, nil }

type session struct {
	server   *MailServer
	from, to string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.from = from
	if refusal := s.server.refuse[from]; refusal != nil {
		return refusal
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.to = to
	if refusal := s.server.refuse[to]; refusal != nil {
		return refusal
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	reader, err := gomail.CreateReader(r)
	if err != nil {
		return err
	}
	m := ReceivedMail{From: s.from, To: s.to, Header: reader.Header}
	if m.Subject, err = reader.Header.Subject(); err != nil {
		return err
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
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
	s.server.mu.Lock()
	s.server.mails = append(s.server.mails, m)
	after := s.server.afterMail
	s.server.mu.Unlock()
	if after != nil {
		return after()
	}
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
