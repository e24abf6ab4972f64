package hooks

import (
	"context"
	"net/http"
	"net/mail"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
)

// bindAddresses makes all spellings of an e-mail address of users one identity. Addresses are stored folded, see
// account.FoldAddress, and every route looks them up folded. The routes of PocketBase that look before any hook runs
// get an app that folds.
func (s *Social) bindAddresses() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := foldAddresses(e.App); err != nil {
			return err
		}
		e.Router.BindFunc(s.authAsked)
		return e.Next()
	})
	s.app.OnRecordAuthWithPasswordRequest("users").BindFunc(answerErrors(findByFoldedAddress))
	s.app.OnRecordRequestEmailChangeRequest("users").BindFunc(answerErrors(refuseSameAddress))
	s.app.OnMailerSend().BindFunc(encodeMailDomains)
}

// ourMailHooks is how many handlers we bind to OnMailerSend; any further one is an owner's.
const ourMailHooks = 1

// foldAddresses folds at a start the addresses that could not be folded before because accounts shared one, and logs
// the accounts that still share one.
func foldAddresses(app core.App) error {
	shared, _, err := account.FoldAddresses(context.Background(), app)
	for _, address := range shared {
		app.Logger().Error("accounts share an e-mail address in several spellings: give all but one another address", "users", address.String())
	}
	return err
}

// foldingApp is an app that finds users by any spelling of their address.
type foldingApp struct{ core.App }

// FindAuthRecordByEmail finds users by their folded address, and is PocketBase's for all other collections.
func (a foldingApp) FindAuthRecordByEmail(collection any, email string) (*core.Record, error) {
	name, _ := collection.(string)
	if c, ok := collection.(*core.Collection); ok {
		name = c.Id
	}
	users, err := a.FindCachedCollectionByNameOrId("users")
	if err != nil || name != users.Id && name != users.Name {
		return a.App.FindAuthRecordByEmail(collection, email)
	}
	return account.FindByAddress(a.App, email)
}

// authAsked gives the routes that find somebody by an address an app that folds it, and the one that finds a one-time code an app
// that finds one for every id.
func (s *Social) authAsked(e *core.RequestEvent) error {
	if e.Request.Method == http.MethodPost && strings.HasPrefix(e.Request.URL.Path, "/api/collections/") {
		action := e.Request.URL.Path[strings.LastIndex(e.Request.URL.Path, "/")+1:]
		if slices.ContainsFunc([]string{"request-", "confirm-", "auth-with-"}, func(p string) bool { return strings.HasPrefix(action, p) }) {
			e.App = foldingApp{e.App}
		}
		if action == "auth-with-otp" {
			// an owner's collection keeps PocketBase's way
			accounts, err := e.App.FindCachedCollectionByNameOrId(strings.Split(e.Request.URL.Path, "/")[3])
			if err == nil && slices.Contains(guard.GuardedCollections, accounts.Name) {
				entered := &enteredCode{App: e.App, collection: accounts.Name}
				e.App = entered
				e.Set(enteredCodeKey, entered)
			}
		}
	}
	return e.Next()
}

// findByFoldedAddress finds a user whom PocketBase did not find because it looks for the identity as it was typed.
func findByFoldedAddress(e *core.RecordAuthWithPasswordRequestEvent) error {
	byAddress := (e.IdentityField == "" || e.IdentityField == core.FieldNameEmail) && slices.Contains(e.Collection.PasswordAuth.IdentityFields, core.FieldNameEmail)
	if e.Record == nil && byAddress && strings.Contains(e.Identity, "@") {
		user, err := account.FindByAddress(e.App, e.Identity)
		if _, err := db.Found(err); err != nil {
			return err
		}
		e.Record = user
	}
	return e.Next()
}

// refuseSameAddress refuses to change an address into another spelling of itself, as PocketBase refuses the same
// spelling.
func refuseSameAddress(e *core.RecordRequestEmailChangeRequestEvent) error {
	e.NewEmail = account.FoldAddress(e.NewEmail)
	if e.NewEmail == account.FoldAddress(e.Record.Email()) {
		return fault.InvalidField("newEmail", "validation_not_in_invalid", "Must not be in list.")
	}
	return e.Next()
}

// encodeMailDomains sends every mail with domains in the form that mail servers know. It changes a copy: others may
// still hold the message.
func encodeMailDomains(e *core.MailerEvent) error {
	message := *e.Message
	message.From.Address = account.WireAddress(message.From.Address)
	message.To, message.Cc, message.Bcc = slices.Clone(message.To), slices.Clone(message.Cc), slices.Clone(message.Bcc)
	for _, list := range [][]mail.Address{message.To, message.Cc, message.Bcc} {
		for i := range list {
			list[i].Address = account.WireAddress(list[i].Address)
		}
	}
	e.Message = &message
	return e.Next()
}
