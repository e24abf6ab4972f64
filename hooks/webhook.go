package hooks

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/deliver/webhook"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
)

// WebhookEvent is an event that is about to be sent to a webhook, after the commit; see OnWebhook. Its body may be
// altered.
type WebhookEvent struct {
	hook.Event
	App     core.App
	Type    string // such as "like.created"
	ID      string // of the event, the same on every attempt
	Body    string // JSON: type, timestamp, data
	Webhook *core.Record
}

// Tags makes a handler of OnWebhook("like.created") run for that type alone.
func (e *WebhookEvent) Tags() []string { return []string{e.Type} }

// OnWebhook runs in a job before each attempt to send an event of the types, or of any if there are none, to a
// webhook. A handler that does not call e.Next(), and returns no error, drops the event for this webhook.
func (s *Social) OnWebhook(types ...string) *hook.TaggedHook[*WebhookEvent] {
	return hook.NewTaggedHook(&s.delivery.webhookHook, types...)
}

// earlyPriority is around the handlers that delete, one of which keeps a row and does not call the next.
const earlyPriority = -1

func (s *Social) bindWebhooks() {
	hooks := webhook.Register(s.app, s.jobs)
	hooks.BeforeSend, hooks.OnDisabled = s.runWebhookHook, queueFailureMail
	s.delivery.webhooks = hooks
	s.app.OnRecordCreate("webhooks").BindFunc(answerErrors(checkWebhook))
	s.app.OnRecordUpdate("webhooks").BindFunc(answerErrors(checkWebhook))
	s.app.OnRecordUpdateExecute("webhooks").BindFunc(inTx(webhookChanged))
	changed := func(e *core.RecordEvent) error {
		hooks.InvalidateCache()
		return e.Next()
	}
	s.app.OnRecordAfterCreateSuccess("webhooks").BindFunc(changed)
	s.app.OnRecordAfterUpdateSuccess("webhooks").BindFunc(changed)
	s.app.OnRecordAfterDeleteSuccess("webhooks").BindFunc(changed)

	s.app.OnRecordCreateExecute(collection.CreatedEventNames()...).Bind(afterFiles(inTx(emitCreated)))
	s.app.OnRecordUpdateExecute(collection.UpdatedEventNames()...).Bind(afterFiles(inTx(emitUpdated)))
	s.app.OnRecordDelete(collection.DeletedEventNames()...).Bind(&hook.Handler[*core.RecordEvent]{Func: inTx(emitDeleted), Priority: earlyPriority})

	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := hooks.LoadHandlers(); err != nil {
			return err
		}
		return e.Next()
	})
}

func emitCreated(tx core.App, e *core.RecordEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	return webhook.EmitEvent(tx, eventsOf(e.Record).Type("created"), e.Record)
}

func emitUpdated(tx core.App, e *core.RecordEvent) error {
	events := eventsOf(e.Record)
	at := slices.IndexFunc(events.Updated, func(change collection.Change) bool { return isChange(e.Record, change) })
	if err := e.Next(); err != nil || at < 0 {
		return err
	}
	change, data := events.Updated[at], any(e.Record)
	if change.IDOnly {
		data = map[string]string{"id": e.Record.Id}
	}
	return webhook.EmitEvent(tx, events.Type(change.Verb), data)
}

func emitDeleted(tx core.App, e *core.RecordEvent) error {
	data := e.Record.PublicExport() // before a comment that has replies loses its words
	if err := e.Next(); err != nil {
		return err
	}
	return webhook.EmitEvent(tx, eventsOf(e.Record).Type("deleted"), data)
}

func eventsOf(record *core.Record) collection.Events {
	return collection.Describe(record.Collection().Name).Events
}

// isChange reports whether an update of the record is the change.
func isChange(record *core.Record, change collection.Change) bool {
	return hasChanged(record, change.Fields...) && (change.To == nil || slices.Contains(change.To, record.GetString(change.Fields[0]))) &&
		(change.Unless == "" || !record.GetBool(change.Unless))
}

// checkWebhook gives a webhook without a secret a new one, and refuses one to which nothing could be delivered.
// Enabling it again clears its failures.
func checkWebhook(e *core.RecordEvent) error {
	address, err := url.Parse(e.Record.GetString("url"))
	if err == nil {
		err = outbound.ClientOf(e.App).CheckURL(address)
	}
	if err != nil {
		return fault.InvalidField("url", "validation_invalid_url", "Must be an https address.")
	}
	var types []string
	if err := e.Record.UnmarshalJSONField("events", &types); err != nil {
		return fault.InvalidField("events", "validation_invalid_events", "Must be a list of event types.")
	}
	for _, t := range types {
		if !slices.Contains(collection.EventTypes(), t) {
			return fault.InvalidField("events", "validation_invalid_events", fmt.Sprintf("There is no event %q.", t))
		}
	}
	if e.Record.GetString("secret") == "" {
		e.Record.Set("secret", webhook.NewSecret())
	}
	if !webhook.IsValidSecret(e.Record.GetString("secret")) {
		return fault.InvalidField("secret", "validation_invalid_secret", "Must be whsec_ and 24 to 64 bytes in base64.")
	}
	if !e.Record.GetBool("disabled") && e.Record.Original().GetBool("disabled") {
		e.Record.Set("reason", "")
		e.Record.Set("failingSince", "")
	}
	return e.Next()
}

// webhookChanged sends what waited for a disabled webhook when it is enabled again.
func webhookChanged(tx core.App, e *core.RecordEvent) error {
	enabled := e.Record.Original().GetBool("disabled") && !e.Record.GetBool("disabled")
	if err := e.Next(); err != nil || !enabled {
		return err
	}
	return webhook.ResumeWork.Begin(tx, sweep.Subject{"id": e.Record.Id, "at": clock.Timestamp(tx)})
}

// runWebhookHook runs the owner's hooks, which may alter the event's body, and reports whether it shall be sent.
func (s *Social) runWebhookHook(app core.App, id string, d *webhook.Delivery) (bool, error) {
	hooks := &s.delivery.webhookHook
	if hooks.Length() == 0 {
		return true, nil
	}
	e := &WebhookEvent{App: app, Type: d.Type, ID: d.Event, Body: d.Body}
	err := loadRecord(app, &e.Webhook, "webhooks", id)
	came, err := passesHook(hooks, e, err)
	d.Body = e.Body
	return came, err
}

// queueFailureMail mails the contact that a webhook names, if any, that it was disabled.
func queueFailureMail(tx core.App, address, contact, reason string) error {
	if contact == "" {
		return nil
	}
	return job.Enqueue(tx, deliver.EmailJob, mail.Email{
		To: contact, Subject: "A webhook was disabled", Sections: []mail.Section{{Items: []mail.Item{
			{Text: "Events are no longer sent to " + address + "."}, {Text: "Reason: " + reason},
			{Text: "When it works again, enable it in the dashboard. What happened in the last three days is sent then."},
		}}},
	})
}
