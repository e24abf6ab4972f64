package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/guard"
)

const (
	otpAnswerTime = 100 * time.Millisecond // after which a request for a code is answered: a code that is stored takes longer than none
	mostOTPs      = 10_000                 // addresses, and decoys, that are remembered
	mostActive    = 10                     // codes of one account, beyond which PocketBase makes no new one
)

// oneTimeCodes answers requests for one-time codes so that nobody learns whether an address has an account. One without is
// given the id of a decoy, in the same places: there is no new id until a new mail could leave, and whoever tries codes on an id is
// refused, and held up, in the same way.
type oneTimeCodes struct {
	secret string // of the process: the ids of accounts that are not there cannot be computed

	mu      sync.Mutex // guards all below
	answers map[string]*otpAnswer
	decoys  map[string]otpDecoy // by id
	hash    string              // of a password that nobody knows
}

// otpAnswer is what was answered last to one address; its lock is held while an answer is made.
type otpAnswer struct {
	mu   sync.Mutex
	id   string
	at   time.Time
	owed bool // the budget was spent on a mail that could not be made
}

// otpDecoy is a code that is in no mail and no table.
type otpDecoy struct {
	collection string
	record     string
	created    types.DateTime
}

func (s *Social) bindOneTimeCodes() {
	s.codes = &oneTimeCodes{secret: security.RandomString(30), answers: map[string]*otpAnswer{}, decoys: map[string]otpDecoy{}}
	s.app.OnRecordRequestOTPRequest(guard.GuardedCollections...).Bind(&hook.Handler[*core.RecordCreateOTPRequestEvent]{Func: answerErrors(s.codes.requested), Priority: lastPriority})
}

// requested answers a request for a code, once in the pause between two mails with a new id.
func (c *oneTimeCodes) requested(e *core.RecordCreateOTPRequestEvent) error {
	timer := time.NewTimer(otpAnswerTime)
	defer func() { // net/http sends so short an answer when the request's handler returns
		select {
		case <-timer.C:
		case <-e.Request.Context().Done():
		}
	}()
	var form struct {
		Email string `json:"email" form:"email"`
	}
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("An error occurred while loading the submitted data.", err)
	}
	address := e.Collection.Id + "/" + account.FoldAddress(form.Email)
	given := c.answerTo(address)
	given.mu.Lock()
	defer given.mu.Unlock()
	if given.id != "" && clock.Now(e.App).Sub(given.at).Abs() < mail.Pause(mail.OneTimeCode) {
		return e.JSON(http.StatusOK, map[string]string{"otpId": given.id})
	}
	allowed, err := codeAllowed(e, given.owed)
	if err != nil {
		return err
	}
	if !allowed {
		given.id, given.at = c.newDecoy(e, address), clock.Now(e.App) // not before the budget was asked, which has a pause of its own
		return e.JSON(http.StatusOK, map[string]string{"otpId": given.id})
	}
	app := e.App
	e.App = otpNoted{app, &given.id}
	err = e.Next()
	e.App = app
	if given.owed = err != nil; given.owed {
		return err // asked again, a code is made and mailed
	}
	given.at = clock.Now(e.App)
	c.addDecoy(e.App, given.id, otpDecoy{e.Collection.Id, e.Record.Id, types.NowDateTime()}, e.Collection.OTP.DurationTime()) // for when the code is used or taken back
	return nil
}

// codeAllowed reports whether a code is made and mailed: there must be an account, and room in the budget of its mailbox, if that
// is not spent already.
func codeAllowed(e *core.RecordCreateOTPRequestEvent, spent bool) (bool, error) {
	if e.Record == nil {
		return false, nil
	}
	made, err := e.App.FindAllOTPsByRecord(e.Record)
	if err != nil {
		return false, fmt.Errorf("find the codes of %s: %w", e.Record.Id, err)
	}
	active := 0
	for _, otp := range made {
		if !otp.HasExpired(e.Collection.OTP.DurationTime()) {
			active++
		}
	}
	allowed := active < mostActive
	if allowed && !spent {
		allowed, err = mail.SpendBudget(e.App, mail.OneTimeCode, e.Record.Email(), "")
	}
	if err == nil && !allowed {
		logMailHeldBack(e.App, mail.OneTimeCode)
	}
	return allowed, err
}

// answerTo returns what an address was answered.
func (c *oneTimeCodes) answerTo(address string) *otpAnswer {
	c.mu.Lock()
	defer c.mu.Unlock()
	given := c.answers[address]
	if given == nil {
		if len(c.answers) >= mostOTPs {
			clear(c.answers)
		}
		given = &otpAnswer{}
		c.answers[address] = given
	}
	return given
}

// newDecoy returns the id of a code that nobody can enter. Tries on it count where those on the account's codes do, or would.
func (c *oneTimeCodes) newDecoy(e *core.RecordCreateOTPRequestEvent, address string) (id string) {
	decoy := otpDecoy{collection: e.Collection.Id, created: types.NowDateTime()}
	if e.Record != nil {
		decoy.record = e.Record.Id
	} else {
		sum := sha256.Sum256([]byte(c.secret + address))
		decoy.record = hex.EncodeToString(sum[:])[:15]
	}
	id = core.GenerateDefaultRandomId()
	c.addDecoy(e.App, id, decoy, e.Collection.OTP.DurationTime())
	return id
}

// addDecoy remembers a decoy, which lives as long as a code.
func (c *oneTimeCodes) addDecoy(app core.App, id string, decoy otpDecoy, life time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hash == "" {
		otp := core.NewOTP(app)
		otp.SetPassword(security.RandomString(40))
		c.hash = otp.GetString("password:hash")
	}
	if len(c.decoys) >= mostOTPs {
		for id, old := range c.decoys {
			if time.Since(old.created.Time()) > life {
				delete(c.decoys, id)
			}
		}
	}
	if len(c.decoys) >= mostOTPs {
		clear(c.decoys)
	}
	c.decoys[id] = decoy
}

// otpNoted is an app that notes the id of the code that it stores.
type otpNoted struct {
	core.App
	id *string
}

// Save is PocketBase's.
func (a otpNoted) Save(model core.Model) error {
	err := a.App.Save(model)
	if otp, ok := model.(*core.OTP); ok && err == nil {
		*a.id = otp.Id
	}
	return err
}

// otpEntered is the app of one request that finds decoys too, so that PocketBase refuses a code for one as it refuses a wrong code: as
// slowly, and after five of them not at all for a while.
type otpEntered struct {
	core.App
	codes *oneTimeCodes
	decoy *core.OTP // that was found
}

// FindOTPById is PocketBase's, and finds decoys.
func (a *otpEntered) FindOTPById(id string) (*core.OTP, error) {
	stored, err := a.App.FindOTPById(id)
	if err != nil {
		if a.decoy = a.codes.findDecoy(a.App, id); a.decoy != nil {
			return a.decoy, nil
		}
	}
	return stored, err
}

// FindRecordById is PocketBase's, and finds the account of the decoy, which may be nobody's.
func (a *otpEntered) FindRecordById(collection any, id string, filters ...func(*dbx.SelectQuery) error) (*core.Record, error) {
	found, err := a.App.FindRecordById(collection, id, filters...)
	if err == nil || a.decoy == nil || id != a.decoy.RecordRef() {
		return found, err
	}
	accounts, err := a.App.FindCachedCollectionByNameOrId(a.decoy.CollectionRef())
	if err != nil {
		return nil, fmt.Errorf("find the collection of a decoy: %w", err)
	}
	nobody := core.NewRecord(accounts)
	nobody.Id = id
	return nobody, nil
}

// findDecoy returns a code that no password opens, or nil.
func (c *oneTimeCodes) findDecoy(app core.App, id string) *core.OTP {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, found := c.decoys[id]
	if !found {
		return nil
	}
	otp := core.NewOTP(app)
	otp.Id = id
	otp.SetCollectionRef(known.collection)
	otp.SetRecordRef(known.record)
	otp.SetRaw("password", &core.PasswordFieldValue{Hash: c.hash})
	otp.SetRaw("created", known.created)
	return otp
}
