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

	"doubletap/internal/job"
)

// ErrBounced tells that the server knows no such address.
var ErrBounced = errors.New("no such address")

const (
	patience = 30 * time.Second // with a mail server
	hanging  = 4                // conversations with one that stopped answering
)

// busy holds the conversations under way: PocketBase's mailer knows no deadline.
var busy = make(chan struct{}, hanging)

// Send hands a mail to the server. A nil error means that the server has it.
func Send(ctx context.Context, app core.App, m *mailer.Message) error {
	return Wait(ctx, func() error { return app.NewMailClient().Send(m) })
}

// Wait has send talk to the mail server, for half a minute at most. While too many such conversations hang, the error is a snooze.
func Wait(ctx context.Context, send func() error) error {
	select {
	case busy <- struct{}{}:
	default:
		return job.Snooze(patience)
	}
	sent := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				sent <- fmt.Errorf("panic: %v", p)
			}
			<-busy
		}()
		sent <- send()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-sent:
		if bounced(err) {
			return fmt.Errorf("%w: %w", ErrBounced, err)
		}
		return err
	case <-timer.C:
		return fmt.Errorf("the mail server did not answer in %v", patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

var (
	enhanced    = regexp.MustCompile(`^(\d\.\d+\.\d+)\b`)
	ofRecipient = regexp.MustCompile(`^5\.(1\.(1|2|3|6|10)|2\.1)$`)
	ofNobody    = regexp.MustCompile(`(?i)\b(user|mailbox|recipient|address)\b`)
	ofSender    = regexp.MustCompile(`(?i)\bsender\b`)
)

// bounced reports whether an answer is about the address and not about us: that the sender is refused, or the text, says
// nothing of the address. See RFC 3463.
func bounced(err error) bool {
	answer, ok := errors.AsType[*textproto.Error](err)
	if !ok || answer.Code != 550 && answer.Code != 551 && answer.Code != 553 {
		return false
	}
	if code := enhanced.FindString(answer.Msg); code != "" {
		return ofRecipient.MatchString(code)
	}
	return answer.Code != 553 && ofNobody.MatchString(answer.Msg) && !ofSender.MatchString(answer.Msg)
}
