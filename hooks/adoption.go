package hooks

import (
	"maps"
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/adoption"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/web"
)

// Adoption is what the owner of an app that had users before decides about them; see Social.Adopt. Its zero value
// decides nothing.
type Adoption struct {
	// Handle returns the handle that a user of before wishes. Capitals, spaces and the like are replaced; where the
	// result is taken or reserved, a number is added. Where it is empty, or Handle is nil, the handle is made of the
	// username, the name or the local part of the address, whichever is there first.
	Handle func(user *core.Record) string

	// Role says for each value that the app's own users.role has whether such a person is a "member" or a "moderator"
	// now. Without it an app with a field of this name is not adopted.
	Role map[string]string

	// State says the same for users.state: "active", or "suspended" for those who cannot sign in.
	State map[string]string

	// Same names fields of users that mean what Doubletap means by them: "bio", "private" or "handle". Their values are
	// kept, and everybody who sees the profile sees them.
	Same []string

	// Public names fields of users that everybody who sees a profile may see and filter by. All others of the app's own
	// stay with the person and the superusers, as they were.
	Public []string
}

// Adopt decides what becomes of the users of an app that did not have Doubletap before. Call it after Bind and before
// the app starts; the first start adopts, and the command adopt --check shows beforehand what it would do. Later starts
// only look at Public.
//
// Adopting opens nothing. Rules and options of users that differ from PocketBase's own defaults stay in force, together
// with Doubletap's; tokens stay valid. What clashes is refused, all of it in one error, before anything changes.
func (s *Social) Adopt(a Adoption) { adoption.Decide(s.app, adoption.Options(a)) }

// bindAdoption keeps private what an adopted app showed to nobody else.
func (s *Social) bindAdoption() {
	s.app.OnBootstrap().BindFunc(func(e *core.BootstrapEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return adoption.Load(e.App)
	})
	s.app.OnRecordEnrich("users").BindFunc(hidePrivateFields)
	s.app.OnFileDownloadRequest("users").Bind(&hook.Handler[*core.FileDownloadRequestEvent]{Func: answerErrors(refusePrivateFile), Priority: firstPriority})
}

// hidePrivateFields takes out of a user's record, and of what is expanded in it, the fields that are that user's alone.
func hidePrivateFields(e *core.RecordEnrichEvent) error {
	user, private := e.Record, adoption.PrivateFieldsOf(e.App, e.Record.Collection())
	if len(private) == 0 || e.RequestInfo != nil && e.RequestInfo.HasSuperuserAuth() || callerID(e.RequestInfo) == user.Id {
		return e.Next()
	}
	if e.RequestInfo != nil && e.RequestInfo.Context == core.RequestInfoContextExpand {
		for _, name := range private { // what it points at is expanded when all handlers have run
			if _, points := user.Collection().Fields.GetByName(name).(*core.RelationField); points {
				user.Set(name, nil)
			}
		}
	}
	if err := e.Next(); err != nil { // which expands what was asked for
		return err
	}
	user.Hide(private...)
	if expanded := user.Expand(); len(expanded) > 0 {
		maps.DeleteFunc(expanded, func(name string, _ any) bool { return slices.Contains(private, name) })
		user.SetExpand(expanded)
	}
	return nil
}

// refusePrivateFile refuses a protected file of a user to everybody else. That the rule shows them the user is new.
func refusePrivateFile(e *core.FileDownloadRequestEvent) error {
	if !e.FileField.Protected || !slices.Contains(adoption.PrivateFieldsOf(e.App, e.Collection), e.FileField.Name) {
		return e.Next()
	}
	holder, err := web.FindByToken(e.App, e.Request.URL.Query().Get("token"), core.TokenTypeFile)
	if err != nil {
		return err
	}
	if holder == nil || !holder.IsSuperuser() && (holder.Collection().Name != "users" || holder.Id != e.Record.Id) {
		return fault.NotFound()
	}
	return e.Next()
}
