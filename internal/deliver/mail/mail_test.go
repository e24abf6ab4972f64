package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/tools/mailer"

	"github.com/doubletap/doubletap/internal/deliver/delivertest"
)

func TestWhatIsABounce(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{io.ErrUnexpectedEOF, false},
		{&textproto.Error{Code: 550, Msg: "5.1.1 user unknown"}, true},
		{&textproto.Error{Code: 550, Msg: "5.1.10 null MX"}, true},
		{&textproto.Error{Code: 553, Msg: "5.1.3 bad address"}, true},
		{&textproto.Error{Code: 550, Msg: "5.2.1 mailbox disabled"}, true},
		{&textproto.Error{Code: 550, Msg: "No such user here"}, true},
		{&textproto.Error{Code: 550, Msg: "Mailbox unavailable"}, true},
		{fmt.Errorf("mail: %w", &textproto.Error{Code: 550, Msg: "5.1.1 user unknown"}), true},
		{&textproto.Error{Code: 550, Msg: "5.7.1 the user is not allowed to relay"}, false},
		{&textproto.Error{Code: 550, Msg: "5.1.8 bad sender"}, false},
		{&textproto.Error{Code: 550, Msg: "Sender address rejected"}, false},
		{&textproto.Error{Code: 550, Msg: "Message looks like spam"}, false},
		{&textproto.Error{Code: 553, Msg: "sorry, that user may not send"}, false},
		{&textproto.Error{Code: 552, Msg: "5.2.2 mailbox full"}, false},
		{&textproto.Error{Code: 450, Msg: "4.2.1 mailbox busy"}, false},
		{&textproto.Error{Code: 535, Msg: "5.7.8 bad user or password"}, false},
	} {
		if got := isBounce(c.err); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}

func TestATokenIsForOneUserAndScope(t *testing.T) {
	app, other := delivertest.NewApp(t), delivertest.NewApp(t)
	token, err := UnsubscribeToken(app, "user1", "like")
	if err != nil {
		t.Fatal(err)
	}
	if user, scope, err := ParseToken(app, token); user != "user1" || scope != "like" || err != nil {
		t.Errorf("got %s, %s, %v", user, scope, err)
	}
	for _, bad := range []string{"", ".", "..", token + "x", token[:len(token)-1], strings.Replace(token, "user1", "user2", 1), strings.Replace(token, "like", "digest", 1), "user1.like.", strings.Repeat("a.", 1000)} {
		if _, _, err := ParseToken(app, bad); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("%.50q: got %v, want %v", bad, err, ErrInvalidToken)
		}
	}
	if _, _, err := ParseToken(other, token); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("another service takes it: %v", err)
	}
}

func TestALetterLooksLikeTheApp(t *testing.T) {
	app := delivertest.NewApp(t)
	meta := &app.Settings().Meta
	meta.AppName, meta.AppURL, meta.AccentColor, meta.SenderName, meta.SenderAddress = "Acme <3", "https://acme.example/", "#123456", "Acme", "post@acme.example"
	l := &Email{
		To: "ada@example.com", Locale: "de", Subject: "Hallo\r\nBcc: x@example.com", MessageID: "n.1", Unsubscribe: "tok.en",
		Sections: []Section{{Title: "T", Items: []Item{{Text: "a <b>", Quote: "q"}}, URL: "javascript:alert(1)"}},
	}
	m, err := l.MailerMessage(app)
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "Hallo Bcc: x@example.com" || m.From.Address != "post@acme.example" || m.To[0].Address != "ada@example.com" || m.Headers["Message-ID"] != "<n.1@acme.example>" {
		t.Errorf("got %+v", m)
	}
	for _, want := range []string{"#123456", "Acme &lt;3", `lang="de"`, "a &lt;b&gt;", "https://acme.example/unsubscribe?t=tok.en", "Keine solchen Mails mehr"} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("%q is missing in %s", want, m.HTML)
		}
	}
	if strings.Contains(m.HTML, "javascript:") {
		t.Errorf("html %s", m.HTML)
	}
	if !strings.Contains(m.Text, "a <b>\n  “q”") || strings.Contains(m.Text, "&lt;") {
		t.Errorf("text %s", m.Text)
	}
	l.Unsubscribe = ""
	if m, err = l.MailerMessage(app); err != nil || m.Headers["List-Unsubscribe"] != "" || strings.Contains(m.HTML, "unsubscribe") {
		t.Errorf("nothing to unsubscribe from: %v %+v", err, m)
	}
}

// TestAMailServerThatHangsHoldsNobody waits for no timeout: the job is stopped, and the conversation goes on without
// it.
func TestAMailServerThatHangsHoldsNobody(t *testing.T) {
	app := delivertest.NewApp(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	smtp := &app.Settings().SMTP
	smtp.Enabled, smtp.Host, smtp.Port = true, "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	m, err := (&Email{To: "ada@example.com", Subject: "hello"}).MailerMessage(app)
	if err != nil {
		t.Fatal(err)
	}
	m.From.Address = "post@example.com"
	var sender Sender
	var silent []net.Conn
	for range maxConversations {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func(m mailer.Message) { ended <- sender.Send(ctx, app, &m) }(*m)
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, conn)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	if err := sender.Send(t.Context(), app, m); err == nil || !strings.Contains(err.Error(), "snoozed") {
		t.Errorf("with %d conversations hanging: got %v, want a snooze", maxConversations, err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if err := sender.Close(over); !errors.Is(err, context.Canceled) {
		t.Errorf("closed while they hang: got %v", err)
	}
	for _, conn := range silent {
		conn.Close()
	}
	if err := sender.Close(t.Context()); err != nil || sender.underWay != 0 {
		t.Errorf("closed when they have ended: got %v, with %d under way", err, sender.underWay)
	}
	if err := sender.Send(t.Context(), app, m); err == nil || !strings.Contains(err.Error(), "snoozed") {
		t.Errorf("after Close: got %v, want a snooze", err)
	}
}
