package hooks

import (
	"github.com/pocketbase/pocketbase/core"
)

func (s *Social) bindInbox() {
	s.app.OnRealtimeConnectRequest().BindFunc(s.inbox.Connect)
	s.app.OnRealtimeSubscribeRequest().BindFunc(s.inbox.Subscribe)
	s.app.OnRealtimeMessageSend().BindFunc(s.inbox.Message)
	s.app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		s.inbox.Close()
		return e.Next()
	})
}
