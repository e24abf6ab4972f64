package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// latePriority is behind an owner's handlers: the inbox decides last who the client is, and others see the full list
// of topics.
const latePriority = 999

func (s *Social) bindInbox() {
	s.inbox.EnrichmentKeys = s.enrichmentKeys
	s.app.OnRealtimeConnectRequest().Bind(&hook.Handler[*core.RealtimeConnectRequestEvent]{Func: s.inbox.HandleConnect, Priority: latePriority})
	s.app.OnRealtimeSubscribeRequest().Bind(&hook.Handler[*core.RealtimeSubscribeRequestEvent]{Func: s.inbox.HandleSubscribe, Priority: latePriority})
	s.app.OnRealtimeMessageSend().Bind(&hook.Handler[*core.RealtimeMessageEvent]{Func: s.inbox.HandleMessage, Priority: latePriority})
	s.app.OnRecordAfterCreateSuccess().BindFunc(s.inboxHandler("create"))
	s.app.OnRecordAfterUpdateSuccess().BindFunc(s.inboxHandler("update"))
	s.app.OnRecordAfterDeleteSuccess().BindFunc(s.inboxHandler("delete"))
	s.app.OnCollectionUpdate().BindFunc(func(e *core.CollectionEvent) error {
		before, _ := e.App.FindCachedCollectionByNameOrId(e.Collection.Id)
		if err := e.Next(); err != nil {
			return err
		}
		if before != nil && before.AuthToken.Secret != e.Collection.AuthToken.Secret {
			s.inbox.SignOutCollection(e.Collection)
		}
		return nil
	})
	s.app.OnCollectionAfterDeleteSuccess().BindFunc(func(e *core.CollectionEvent) error {
		s.inbox.SignOutCollection(e.Collection)
		return e.Next()
	})
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.BindFunc(func(e *core.RequestEvent) error {
			if e.Request.URL.Path == "/api/realtime" { // everybody comes back at once after a restart
				return skipSuccessLog.Func(e)
			}
			return e.Next()
		})
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: latePriority, Func: func(e *core.RequestEvent) error {
			if e.Request.URL.Path == "/api/realtime" && e.Request.Method == http.MethodPost {
				return s.inbox.RegisterDevice(e)
			}
			return e.Next()
		}})
		return e.Next()
	})
}

func (s *Social) inboxHandler(action string) func(*core.RecordEvent) error {
	return func(e *core.RecordEvent) error {
		s.inbox.RecordWritten(action, e.Record)
		return e.Next()
	}
}
