package hooks

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/spf13/cast"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/web"
)

// bindSessions lets people see where they are signed in, and sign out there. What is theirs alone ends with a session:
// tokens and file tokens at every door, streams, push devices.
func (s *Social) bindSessions() {
	s.sessions.OnEnd = func(user string, ids []string) {
		s.tokens.ForgetUser(user)
		s.inbox.DisconnectSessions(user, ids)
	}
	s.app.OnRecordDeleteExecute("account_sessions").BindFunc(inTx(func(tx core.App, e *core.RecordEvent) error { // by a superuser
		if err := s.sessions.End(tx, e.Record.GetString("user"), []string{e.Record.Id}); err != nil {
			return err
		}
		return e.Next()
	}))
	s.app.OnRecordUpdateExecute("account_sessions").BindFunc(inTx(func(tx core.App, e *core.RecordEvent) error { // likewise
		db.AfterCommit(tx, func() { s.sessions.OnEnd(e.Record.GetString("user"), []string{e.Record.Id}) }) // who uses it comes anew, and meets the change
		return e.Next()
	}))
	s.app.OnFileTokenRequest("users").Bind(&hook.Handler[*core.FileTokenRequestEvent]{Func: answerErrors(stampFileToken), Priority: firstPriority})
	s.app.OnServe().BindFunc(s.serveSessions)
	s.routes = append(s.routes, web.Route{
		Method: "GET", Path: "/api/v1/sessions", Access: web.UsersOnly, Handle: s.listSessions, ResponseBody: sessionsAnswer{},
		Summary: "Where the caller is signed in, the last used first.",
	}, web.Route{
		Method: "DELETE", Path: "/api/v1/sessions/{id}", Access: web.UsersOnly, Handle: s.endSession, ErrorStatuses: []int{http.StatusNotFound},
		Summary: "Signs the caller out of one session, with its tokens, streams, file tokens and push devices.",
	})
}

// serveSessions has requests note that their session is used, and stores that now and then.
func (s *Social) serveSessions(e *core.ServeEvent) error {
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: apis.DefaultLoadAuthTokenMiddlewarePriority + 1, Func: func(e *core.RequestEvent) error {
		s.sessions.NoteSeen(e.App, e.Auth)
		return web.DropEndedFileToken(e)
	}})
	ctx, stop := context.WithCancel(context.Background())
	var saving sync.WaitGroup
	saving.Go(func() { s.sessions.Run(ctx, s.app) })
	s.app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		stop()
		saving.Wait() // before the databases are closed
		return e.Next()
	})
	return e.Next()
}

// startSession returns the session that begins with a sign-in, and whether it is a new one: a token from before there were
// sessions that is refreshed twice has one.
func (s *Social) startSession(e *core.RecordAuthRequestEvent) (_ *session.Session, started bool, err error) {
	begun := &session.Session{
		ID: core.GenerateDefaultRandomId(), User: e.Record.Id, Method: e.AuthMethod,
		Device: session.DeviceName(e.Request.UserAgent()), Address: session.ShortAddress(limit.ClientAddress(e.Request)),
	}
	ends := clock.Now(e.App).Add(session.LongestTime)
	if e.Auth != nil && e.Auth.IsSuperuser() && e.AuthMethod == "" {
		claims, err := security.ParseUnverifiedJWT(e.Token)
		if err != nil {
			return nil, false, fmt.Errorf("read a token of %s: %w", e.Record.Id, err)
		}
		begun.Method, begun.Device, begun.Address = session.Impersonation, "Administrator", ""
		ends = time.Unix(cast.ToInt64(claims["exp"]), 0)
	}
	begun.Ends = clock.FormatTime(ends)
	if e.AuthMethod == "" && e.Auth != nil && e.Auth.Id == e.Record.Id {
		begun.ID = session.IDOfToken(web.BearerToken(e.RequestEvent))
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if current, err := isCredentialCurrent(tx, e.Record); err != nil || !current {
			return cmp.Or(err, fault.Unauthorized()) // the password has changed since it was asked
		}
		former, _, err := session.FindLive(tx, begun.ID, begun.User)
		if err != nil || former != nil {
			begun = former
			return err
		}
		crowdedOut, err := session.Start(tx, begun)
		if err != nil {
			return err
		}
		started = true
		return s.sessions.End(tx, begun.User, crowdedOut)
	})
	return begun, started, err
}

// dropSession takes back a session of which nobody got a token. One that stays, as the process ends, ends by its time.
func (s *Social) dropSession(app core.App, begun *session.Session) {
	err := app.RunInTransaction(func(tx core.App) error { return s.sessions.End(tx, begun.User, []string{begun.ID}) })
	if err != nil {
		app.Logger().Warn("a session without a token stays", "account", begun.User, "err", err)
	}
}

// stampFileToken makes a file token end with the session in which it was asked for.
func stampFileToken(e *core.FileTokenRequestEvent) (err error) {
	if id := session.Of(e.Auth); id != "" {
		if e.Token, err = account.AddClaims(e.Record, e.Token, e.Record.Collection().FileToken.Secret, jwt.MapClaims{session.Claim: id}); err != nil {
			return err
		}
	}
	return e.Next()
}

type sessionsAnswer struct {
	Items []shownSession `json:"items"`
}

type shownSession struct {
	ID       string `json:"id"`
	Device   string `json:"device"`  // such as "Firefox on Linux"
	Address  string `json:"address"` // the network it came from, such as 203.0.113.0/24
	Method   string `json:"method"`  // how it began: password, oauth2, otp, impersonation for a superuser's, or empty
	Created  string `json:"created"`
	LastSeen string `json:"lastSeen"` // to a quarter of an hour
	Ends     string `json:"ends"`     // at the latest
	Current  bool   `json:"current"`  // the one that asks
}

// listSessions answers GET /api/v1/sessions.
func (s *Social) listSessions(e *core.RequestEvent) error {
	sessions, err := session.List(e.App, e.Auth.Id)
	if err != nil {
		return err
	}
	answer := sessionsAnswer{Items: []shownSession{}}
	for _, one := range sessions {
		answer.Items = append(answer.Items, shownSession{
			ID: one.ID, Device: one.Device, Address: one.Address, Method: one.Method, Created: one.Created,
			LastSeen: s.sessions.LastSeen(one.ID, one.LastSeen), Ends: one.Ends, Current: one.ID == session.Of(e.Auth),
		})
	}
	return e.JSON(http.StatusOK, answer)
}

// endSession answers DELETE /api/v1/sessions/{id}. Another's session is answered as one that is not there.
func (s *Social) endSession(e *core.RequestEvent) error {
	id := e.Request.PathValue("id")
	err := e.App.RunInTransaction(func(tx core.App) error {
		if current, err := isCredentialCurrent(tx, e.Auth); err != nil || !current {
			return cmp.Or(err, fault.Unauthorized())
		}
		live, _, err := session.FindLive(tx, id, e.Auth.Id)
		if err != nil || live == nil {
			return cmp.Or(err, fault.NotFound())
		}
		return s.sessions.End(tx, e.Auth.Id, []string{id})
	})
	if err != nil {
		return err
	}
	if id == session.Of(e.Auth) {
		clearBrowserCache(e)
	}
	return e.NoContent(http.StatusNoContent)
}
