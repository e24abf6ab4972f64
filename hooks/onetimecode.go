package hooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/secret"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/limit"
)

// Nobody learns from one-time codes whether an address has an account. The id that a request for a code is answered with
// is computed from the address and the request, for every address alike: its first characters name the address, and
// nothing but a secret of the service can tell which. An address without an account costs the same hash and the same
// transaction. Whoever enters a code is held up by address, whether the id has a code, had one, or never had one; an id
// without a code opens what was mailed to its address last.

const (
	otpAnswerTime = 100 * time.Millisecond // after which a request for a code is answered at the earliest
	otpIDLength   = 15
	otpTagLength  = 8 // characters of an id that name the address
)

func (s *Social) bindOneTimeCodes() {
	s.app.OnRecordRequestOTPRequest(guard.GuardedCollections...).Bind(&hook.Handler[*core.RecordCreateOTPRequestEvent]{Func: answerErrors(codeRequested), Priority: lastPriority})
	s.app.OnMailerRecordOTPSend(guard.GuardedCollections...).Bind(&hook.Handler[*core.MailerRecordEvent]{Func: takeBackUnsentCode, Priority: firstPriority})
	s.app.OnRecordAuthWithOTPRequest(guard.GuardedCollections...).Bind(&hook.Handler[*core.RecordAuthWithOTPRequestEvent]{Func: restoreCodeHolder, Priority: firstPriority})
}

// codeRequested answers a request for a code, once in the pause between two mails with a new id.
func codeRequested(e *core.RecordCreateOTPRequestEvent) error {
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
	key, err := otpKey(e.App)
	if err != nil {
		return err
	}
	code := &requestedCode{App: e.App, key: key, tag: otpTag(key, e.Collection, form.Email)}
	request, err := mail.LastRequest(e.App, mail.OneTimeCode, code.tag)
	if err != nil {
		return err
	}
	if request != "" {
		code.id = code.tag + otpPart(key, otpIDLength-otpTagLength, code.tag, request)
		again, err := isMailedAgain(e)
		if err != nil {
			return err
		}
		if !again {
			return code.answer(e)
		}
	} else if e.Record == nil {
		core.NewOTP(e.App).SetPassword(e.Password) // takes as long as for an account
		if err := e.App.RunInTransaction(code.takeID); err != nil {
			return err
		}
		return code.answer(e)
	}
	code.address = e.Record.Email()
	e.App = code
	err = e.Next()
	e.App = code.App
	if errors.Is(err, errCodeHeldBack) {
		logMailHeldBack(e.App, mail.OneTimeCode)
		return code.answer(e)
	}
	return err
}

// requestedCode is the app of one request for a code. It stores the code under the id that is computed, if the budget of
// the mailbox has room for its mail.
type requestedCode struct {
	core.App
	key, tag, address string
	id                string // that is answered
}

// errCodeHeldBack says that a code is neither stored nor mailed.
var errCodeHeldBack = errors.New("there is no room for the code in the budget of its mailbox")

func (c *requestedCode) answer(e *core.RecordCreateOTPRequestEvent) error {
	return e.JSON(http.StatusOK, map[string]string{"otpId": c.id})
}

// takeID sets the id, which is a new one if the pause since the last request is over.
func (c *requestedCode) takeID(tx core.App) error {
	request, err := mail.NoteRequest(tx, mail.OneTimeCode, c.tag)
	c.id = c.tag + otpPart(c.key, otpIDLength-otpTagLength, c.tag, request)
	return err
}

// Save is PocketBase's, and stores a code together with what it takes from the budget of its mailbox.
func (c *requestedCode) Save(model core.Model) error {
	otp, is := model.(*core.OTP)
	if !is {
		return c.App.Save(model)
	}
	stored := false
	err := c.RunInTransaction(func(tx core.App) error {
		stored = false
		if err := c.takeID(tx); err != nil {
			return err
		}
		allowed, err := mail.SpendBudget(tx, mail.OneTimeCode, c.address, "")
		if err != nil || !allowed {
			return err
		}
		otp.Id, stored = c.id, true
		return tx.Save(otp)
	})
	if err == nil && !stored {
		return errCodeHeldBack
	}
	return err
}

// FindAllOTPsByRecord is PocketBase's, which answers with an older id when there are many codes; but the budget of the
// mailbox bounds them, and an address without an account has no older id.
func (c *requestedCode) FindAllOTPsByRecord(record *core.Record) ([]*core.OTP, error) {
	if mail.Pause(mail.OneTimeCode) > 0 {
		return nil, nil
	}
	return c.App.FindAllOTPsByRecord(record)
}

func otpKey(app core.App) (string, error) {
	key, err := secret.FindOrCreate(app, "one-time codes", func() (string, error) { return security.RandomString(43), nil })
	if err != nil {
		return "", fmt.Errorf("compute the id of a one-time code: %w", err)
	}
	return key, nil
}

// otpTag returns the beginning of all ids that are given for an address.
func otpTag(key string, c *core.Collection, address string) string {
	if c.Name == "users" { // elsewhere PocketBase compares it as it was typed
		address = account.FoldAddress(address)
	}
	return otpPart(key, otpTagLength, c.Id, address)
}

// otpPart returns n characters of an id, which nobody can compute without the key.
func otpPart(key string, n int, of ...string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(strings.Join(of, "\x00")))
	return strings.ToLower(base32.HexEncoding.EncodeToString(mac.Sum(nil)))[:n]
}

// enteredCode is the app of one request that enters a code. PocketBase finds a code for every id, so that it refuses
// each wrong one alike: as slowly, and after five of them for one address not at all for a while.
type enteredCode struct {
	core.App
	collection string // of the request
	otp        *core.OTP
	holder     *core.Record // the account, nil if there is none
}

// enteredCodeKey is the name under which a request keeps its enteredCode.
const enteredCodeKey = "doubletap.enteredCode"

// FindOTPById is PocketBase's. For an id without a code that is still valid it returns the newest one of the same
// address, else one that no password opens. A code is not valid once it was guessed too often, whoever guessed.
func (c *enteredCode) FindOTPById(id string) (*core.OTP, error) {
	accounts, err := c.FindCachedCollectionByNameOrId(c.collection)
	if err != nil {
		return nil, err
	}
	isValid := func(otp *core.OTP) bool {
		return otp.CollectionRef() == accounts.Id && !otp.HasExpired(accounts.OTP.DurationTime())
	}
	stored, found, err := db.Optional(c.App.FindOTPById(id))
	if err != nil {
		return nil, err
	}
	if found && isValid(stored) && c.mayGuess(stored) {
		c.otp = stored
		return stored, nil
	}
	tag := id[:min(otpTagLength, len(id))]
	if len(id) == otpIDLength {
		newest := &core.OTP{}
		found, err := db.Found(c.RecordQuery(core.CollectionNameOTPs).AndWhere(dbx.NewExp("id >= {:tag} AND id < {:tag} || 'zz'", dbx.Params{"tag": tag})).
			OrderBy("created DESC").Limit(1).One(newest))
		if err != nil {
			return nil, err
		}
		if found && isValid(newest) && c.mayGuess(newest) {
			c.otp = newest
			return newest, nil
		}
	}
	c.otp = core.NewOTP(c.App)
	c.otp.Id = id
	c.otp.SetCollectionRef(accounts.Id)
	c.otp.SetRecordRef(tag)
	c.otp.SetRaw("password", &core.PasswordFieldValue{Hash: unknownCodeHash(c.App)})
	c.otp.SetRaw("created", types.NowDateTime())
	return c.otp, nil
}

// mayGuess counts a guess of a code, and reports whether there is one left: then the code opens nothing any more.
func (c *enteredCode) mayGuess(otp *core.OTP) bool {
	limits := limit.ForApp(c.App)
	return limits.Take(limits.ForText(limit.CodeGuesses, otp.Id)).Wait == 0
}

var (
	makeUnknownCode sync.Once
	unknownCode     string
)

// unknownCodeHash returns the hash of a code that nobody knows, made as those of codes are.
func unknownCodeHash(app core.App) string {
	makeUnknownCode.Do(func() {
		otp := core.NewOTP(app)
		otp.SetPassword(security.RandomString(40))
		unknownCode = otp.GetString("password:hash")
	})
	return unknownCode
}

// FindRecordById is PocketBase's, but of a code's account it returns a stand-in: PocketBase counts wrong codes by its id,
// which is the same for every id of one address.
func (c *enteredCode) FindRecordById(collection any, id string, filters ...func(*dbx.SelectQuery) error) (*core.Record, error) {
	record, err := c.App.FindRecordById(collection, id, filters...)
	if c.otp == nil || id != c.otp.RecordRef() {
		return record, err
	}
	found, err := db.Found(err)
	if err != nil {
		return nil, err
	}
	accounts, err := c.FindCachedCollectionByNameOrId(c.collection)
	if err != nil {
		return nil, err
	}
	standIn := core.NewRecord(accounts)
	standIn.Id = id
	if !found {
		return standIn, nil
	}
	c.holder = record
	key, err := otpKey(c.App)
	if err != nil {
		return nil, err
	}
	if tag := otpTag(key, accounts, record.Email()); strings.HasPrefix(c.otp.Id, tag) { // else it is a code of an owner's making
		standIn.Id = tag
	}
	return standIn, nil
}

// restoreCodeHolder gives a request with a right code the account in place of its stand-in.
func restoreCodeHolder(e *core.RecordAuthWithOTPRequestEvent) error {
	entered, is := e.Get(enteredCodeKey).(*enteredCode)
	if !is {
		return e.Next()
	}
	if entered.holder == nil {
		return fault.BadRequest("Invalid or expired OTP")
	}
	e.Record, entered.otp = entered.holder, nil
	return e.Next()
}
