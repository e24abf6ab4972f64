package mail

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"github.com/doubletap/doubletap/internal/job"
)

// ErrBounced says that the server knows no such address.
var ErrBounced = errors.New("no such address")

const (
	serverTimeout    = 30 * time.Second // how long a mail server may take for one mail
	maxConversations = 4                // conversations at a time; one that hangs counts until it ends
)

// conversations holds one element for each conversation under way: PocketBase's mailer knows no deadline.
var conversations = make(chan struct{}, maxConversations)

// Send hands a mail to the server. A nil error means that the server has it.
func Send(ctx context.Context, app core.App, m *mailer.Message) error {
	return SendWithTimeout(ctx, func() error { return app.NewMailClient().Send(m) })
}

// SendWithTimeout has send talk to the mail server, for serverTimeout at most. While maxConversations are under way,
// it returns a job.Snooze. When the server refuses the address, the error is ErrBounced.
func SendWithTimeout(ctx context.Context, send func() error) error {
	select {
	case conversations <- struct{}{}:
	default:
		return job.Snooze(serverTimeout)
	}
	sent := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				sent <- fmt.Errorf("panic: %v", p)
			}
			<-conversations
		}()
		sent <- send()
	}()
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
