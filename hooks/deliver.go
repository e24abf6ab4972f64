package hooks

import (
	"sync"
	"sync/atomic"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/deliver/apns"
	"github.com/doubletap/doubletap/internal/deliver/fcm"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/webhook"
	"github.com/doubletap/doubletap/internal/deliver/webpush"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/web"
)

// PushKey returns the public key that a browser needs to subscribe to web push. It is empty until the app serves.
func (s *Social) PushKey() string {
	if browsers, ok := s.delivery.service.Channels["webpush"].(*webpush.Channel); ok {
		return browsers.PublicKey()
	}
	return ""
}

// deliveryState holds what sends notifications, mails and webhooks to people who are away.
type deliveryState struct {
	service      *deliver.Service
	webhooks     *webhook.Webhooks
	pushHook     hook.Hook[*PushEvent]
	mailHook     hook.Hook[*MailEvent]
	webhookHook  hook.Hook[*WebhookEvent]
	sendingMails sync.Map // records whose account mail is being sent by its job
	isServing    atomic.Bool
}

func (s *Social) bindDelivery() {
	service := s.delivery.service
	service.IsOnline, service.BeforePush, service.BeforeMail = s.inbox.IsOnline, s.runPushHook, s.runMailHook
	service.RegisterJobs(s.jobs)
	s.jobs.Handle(deliver.AccountEmailJob, s.sendAccountMail, job.Concurrency(2), job.WithinGroup(job.ExternalGroup, job.MaxExternal), job.MaxAttempts(40))
	s.app.OnMailerRecordVerificationSend(guard.GuardedCollections...).Bind(s.queueMailHandler(mail.Verification))
	s.app.OnMailerRecordPasswordResetSend(guard.GuardedCollections...).Bind(s.queueMailHandler(mail.PasswordReset))
	s.app.OnMailerRecordEmailChangeSend(guard.GuardedCollections...).Bind(s.queueMailHandler(mail.EmailChange))
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		s.delivery.isServing.Store(true)
		if err := s.openChannels(); err != nil {
			return err
		}
		return e.Next()
	})
	token := []web.QueryParameter{{Name: "t", About: "the token from the mail"}}
	s.routes = append(s.routes, web.Route{
		Method: "GET", Path: "/unsubscribe", Handle: serveUnsubscribe, Query: token, ContentType: "text/html", ErrorStatuses: []int{400},
		Summary: "A page that asks whether to end mails of one kind; it changes nothing.",
	}, web.Route{
		Method: "POST", Path: "/unsubscribe", Handle: applyUnsubscribe, Query: token, ContentType: "text/html", ErrorStatuses: []int{400},
		Summary: "Ends mails of one kind, as mail programs ask for it (RFC 8058).",
	})
}

// openChannels creates the keys that are created once, and opens the channels that are configured.
func (s *Social) openChannels() error {
	channels := s.delivery.service.Channels
	if err := mail.UnsubscribeLinks.PrepareKey(s.app); err != nil {
		return err
	}
	browsers, err := webpush.New(s.app)
	if err != nil {
		return err
	}
	channels["webpush"] = browsers
	apple, err := apns.New(s.app, apns.FromEnvironment())
	if err != nil {
		return err
	}
	if apple != nil {
		channels["apns"] = apple
	}
	firebase, err := fcm.New(s.app, fcm.FromEnvironment())
	if err != nil {
		return err
	}
	if firebase != nil {
		channels["fcm"] = firebase
	}
	return nil
}

// queueDelivery stores what is to be sent because of a notification event, in its transaction.
func (s *Social) queueDelivery(tx core.App, n *notification.Event, id string) error {
	return s.delivery.service.Schedule(tx, deliver.Delivery{
		Notification: id, Recipient: n.Recipient, Plan: n.Plan, Push: n.Push, Mail: n.Mail,
	})
}
