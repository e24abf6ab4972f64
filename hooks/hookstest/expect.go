package hookstest

import (
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

// Notification is one row of a tray as a test expects it.
type Notification struct {
	Type   string // such as "like"
	Actors int    // how many people did it
	Read   bool
}

// ExpectTray ends the test unless the tray of one of the cast, newest first, is exactly want.
func (s *Service) ExpectTray(name string, want ...Notification) {
	s.t.Helper()
	items := s.As(name).List("notifications", "sort=-latestAt,-id&perPage=200")
	got := make([]Notification, len(items))
	for i, item := range items {
		kind, _ := item["type"].(string)
		actors, _ := item["actorsCount"].(float64)
		read, _ := item["read"].(bool)
		got[i] = Notification{Type: kind, Actors: int(actors), Read: read}
	}
	if len(got) != len(want) {
		s.t.Fatalf("%s is told %+v, want %+v", name, got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			s.t.Fatalf("%s is told %+v, want %+v", name, got, want)
		}
	}
}

// mailbox keeps every mail instead of sending it.
type mailbox struct {
	mu    sync.Mutex
	mails []*mailer.Message
}

func (m *mailbox) bindMailer(app core.App) {
	app.OnMailerSend().Bind(&hook.Handler[*core.MailerEvent]{Priority: 10000, Func: func(e *core.MailerEvent) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.mails = append(m.mails, e.Message)
		return nil
	}})
}

// Mails returns the mails that would have been sent so far, the oldest first.
func (s *Service) Mails() []*mailer.Message {
	s.mails.mu.Lock()
	defer s.mails.mu.Unlock()
	return append([]*mailer.Message(nil), s.mails.mails...)
}
