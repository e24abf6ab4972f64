package hooks

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/web"
)

// bindLimits finds out for whom a proxy asks before anybody else looks, and counts requests where the caller is known and
// the size of the body is checked, before anything is read or hashed for it.
func (s *Social) bindLimits() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := limit.CheckSettings(); err != nil {
			return err
		}
		proxies, err := web.ProxiesFromEnvironment()
		if err != nil {
			return err
		}
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: firstPriority, Func: proxies.ResolveClient})
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: apis.DefaultBodyLimitMiddlewarePriority + 1, Func: web.CheckLimits})
		return e.Next()
	})
	s.app.OnRecordConfirmPasswordResetRequest().BindFunc(func(e *core.RecordConfirmPasswordResetRequestEvent) error {
		err := e.Next()
		if err == nil { // who was kept out by somebody's guesses gets in with the new password
			web.FreeSignIns(e.RequestEvent, e.Record)
		}
		return err
	})
}

// provePassword runs prove, which compares a password that somebody who is signed in gives for a change of their account:
// whoever took over their session must not guess it.
func provePassword(e *core.RequestEvent, prove func() error) error {
	limits := limit.ForApp(e.App)
	claim := limits.ForText(limit.PasswordProof, e.Auth.Id)
	if err := limits.Take(claim).Error(); err != nil {
		return err
	}
	err := prove()
	if err == nil {
		limits.GiveBack(claim)
	}
	return err
}
