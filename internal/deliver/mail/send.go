package mail

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"
	"github.com/pocketbase/pocketbase/tools/routine"

	"github.com/doubletap/doubletap/internal/background"
	"github.com/doubletap/doubletap/internal/job"
)

// ErrBounced says that the server knows no such address.
var ErrBounced = errors.New("no such address")

const (
	serverTimeout    = 30 * time.Second // how long a mail server may take for one mail
	maxConversations = 4                // conversations at a time; one that hangs counts until it ends
)

// Sender talks to an app's mail server. PocketBase's mailer knows no deadline, so a conversation may outlast the job
// that began it.
type Sender struct {
	mu            sync.Mutex // guards all below
	underWay      int        // conversations
	closed        bool
	conversations sync.WaitGroup // grows with mu, until it is closed
}

// Send hands a mail to the server. A nil error means that the server has it.
func (s *Sender) Send(ctx context.Context, app core.App, m *mailer.Message) error {
	return s.SendWithTimeout(ctx, func() error { return app.NewMailClient().Send(m) })
}

// SendWithTimeout has send talk to the mail server, for serverTimeout at most. While maxConversations are under way,
// and after Close, it returns a job.Snooze. When the server refuses the address, the error is ErrBounced.
func (s *Sender) SendWithTimeout(ctx context.Context, send func() error) error {
	sent := make(chan error, 1)
	if !s.beginConversation(func() { sent <- routine.SafeWrap(send)() }) {
		return job.Snooze(serverTimeout)
	}
	timer := time.NewTimer(serverTimeout)
	defer timer.Stop()
	select {
	case err := <-sent:
		if isBounce(err) {
			return fmt.Errorf("%w: %w", ErrBounced, err)
		}
		return err
	case <-timer.C:
		return fmt.Errorf("the mail server did not answer in %v", serverTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Sender) beginConversation(talk func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.underWay >= maxConversations {
		return false
	}
	s.underWay++
	s.conversations.Go(func() {
		defer func() { // also if an owner's hook ends its goroutine
			s.mu.Lock()
			defer s.mu.Unlock()
			s.underWay--
		}()
		talk()
	})
	return true
}

// Close begins no further conversation, and waits for those under way, or until ctx ends.
func (s *Sender) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return background.Wait(ctx, &s.conversations)
}

var (
	enhancedCode  = regexp.MustCompile(`^(\d\.\d+\.\d+)\b`)
	recipientCode = regexp.MustCompile(`^5\.(1\.(1|2|3|6|10)|2\.1)$`)
	recipientWord = regexp.MustCompile(`(?i)\b(user|mailbox|recipient|address)\b`)
	senderWord    = regexp.MustCompile(`(?i)\bsender\b`)
)

// isBounce reports whether a server's answer means that the address does not exist. That the sender or the text is
// refused says nothing about the address. See RFC 3463.
func isBounce(err error) bool {
	answer, ok := errors.AsType[*textproto.Error](err)
	if !ok || answer.Code != 550 && answer.Code != 551 && answer.Code != 553 {
		return false
	}
	if code := enhancedCode.FindString(answer.Msg); code != "" {
		return recipientCode.MatchString(code)
	}
	return answer.Code != 553 && recipientWord.MatchString(answer.Msg) && !senderWord.MatchString(answer.Msg)
}
