package web

import (
	"errors"
	"net/http"
	"strings"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/limit"
)

// limitedDoor is a route with limits of its own. What it counts beside addresses is named by a field of the body.
type limitedDoor struct {
	field  string
	counts []countedUse
}

// countedUse is one limit of a door.
type countedUse struct {
	rule     limit.Rule
	byTarget bool // and not by the address
	keep     outcome
}

// outcome says after which answers a unit stays taken. The others give it back.
type outcome int

const (
	anyOutcome outcome = iota
	failures
	successes
)

// What a person who signs in rightly has tried costs nothing: many may sign in at one address, and one with many devices.
var (
	failedSignIn = countedUse{rule: limit.SignInByAddress, keep: failures}
	askedMail    = countedUse{rule: limit.MailByAddress}
)

// limitedDoors are the doors of all collections of accounts, an owner's too, by the pattern of their route.
var limitedDoors = map[string]*limitedDoor{
	authPattern("auth-with-password"): {"identity", []countedUse{failedSignIn, {limit.SignIn, true, failures}, {limit.SignInDay, true, failures}}},
	authPattern("auth-with-otp"):      {"", []countedUse{failedSignIn}},
	authPattern("auth-with-oauth2"):   {"", []countedUse{failedSignIn}},

	authPattern("confirm-password-reset"): {"", []countedUse{failedSignIn}},
	authPattern("confirm-verification"):   {"", []countedUse{failedSignIn}},
	authPattern("confirm-email-change"):   {"", []countedUse{failedSignIn}}, // it takes the password

	authPattern("request-otp"):            {"email", []countedUse{askedMail, {rule: limit.CodeMail, byTarget: true}}},
	authPattern("request-password-reset"): {"email", []countedUse{askedMail, {rule: limit.ResetMail, byTarget: true}}},
	authPattern("request-verification"):   {"email", []countedUse{askedMail, {rule: limit.VerificationMail, byTarget: true}}},
	authPattern("request-email-change"):   {"newEmail", []countedUse{askedMail, {rule: limit.AddressChange, byTarget: true}}},
}

// signUpDoor is the create of a record, where that is an account.
var signUpDoor = &limitedDoor{"email", []countedUse{
	{rule: limit.SignUpTries}, {rule: limit.SignUpMailbox, byTarget: true}, {rule: limit.SignUpByAddress, keep: successes},
}}

func authPattern(action string) string { return "POST /api/collections/{collection}/" + action }

// CheckLimits is the middleware that counts requests against the limits, and answers those that are too many with 429.
// Superusers have none. It must run where the caller is known and the size of the body has been checked.
func CheckLimits(e *core.RequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	limits := limit.ForApp(e.App)
	if countsAsRead(e.Request) {
		state := limits.Take(claimOfCaller(limits, e, limit.Reads, limit.ReadsByAddress))
		if limits.IsLow(state) { // so that a client can slow down before it is refused
			limits.SetHeaders(e.Response.Header(), state)
		}
		if err := state.Error(); err != nil {
			return err
		}
	}
	if bringsFiles(e.Request) {
		if err := limits.Take(claimOfCaller(limits, e, limit.Uploads, limit.UploadsByAddress)).Error(); err != nil {
			return answerLimited(e, err)
		}
	}
	if door := doorOf(e); door != nil {
		return door.pass(e, limits)
	}
	return answerLimited(e, e.Next())
}

// answerLimited adds to a 429 of ours, wherever it comes from, the headers that say how long to wait.
func answerLimited(e *core.RequestEvent, err error) error {
	if err == nil {
		return nil
	}
	state, limited := limit.StateOf(err)
	if !limited {
		if state, limited = stateOfBatch(err); !limited {
			return err
		}
		answer, _ := errors.AsType[*router.ApiError](state.Error())
		batch, _ := errors.AsType[*router.ApiError](err)
		err = router.NewApiError(answer.Status, answer.Message, batch.RawData())
	}
	limit.ForApp(e.App).SetHeaders(e.Response.Header(), state)
	return err
}

// stateOfBatch returns the state that refused an item of a batch, which PocketBase answers with 400 whatever the item's
// answer was.
func stateOfBatch(err error) (limit.State, bool) {
	answer, ok := errors.AsType[*router.ApiError](err)
	if !ok {
		return limit.State{}, false
	}
	all, _ := answer.RawData().(validation.Errors)
	items, _ := all["requests"].(validation.Errors)
	for _, item := range items {
		if refused, ok := item.(*apis.BatchResponseError); ok { //nolint:errorlint // PocketBase wraps it in nothing
			resolved, _ := refused.Resolve(map[string]any{}).(map[string]any)
			if inner, ok := resolved["response"].(*router.ApiError); ok {
				return limit.StateOf(inner)
			}
		}
	}
	return limit.State{}, false
}

// pass counts a request at a door and lets it through, unless it is too many.
func (d *limitedDoor) pass(e *core.RequestEvent, limits *limit.Limits) error {
	var taken [4]limit.Claim
	target := ""
	if d.field != "" {
		target = targetOf(e, d.field)
	}
	for i, use := range d.counts {
		switch {
		case !use.byTarget:
			taken[i] = limits.ForAddress(use.rule, limit.ClientAddress(e.Request))
		case target != "":
			taken[i] = limits.ForText(use.rule, target)
		default:
			continue // PocketBase says that it is missing
		}
		if err := limits.Take(taken[i]).Error(); err != nil {
			return answerLimited(e, err)
		}
	}
	err := e.Next()
	for i, use := range d.counts {
		if (use.keep == failures && err == nil || use.keep == successes && err != nil) && taken[i] != (limit.Claim{}) {
			limits.GiveBack(taken[i])
		}
	}
	return answerLimited(e, err)
}

func doorOf(e *core.RequestEvent) *limitedDoor {
	if e.Request.Method != http.MethodPost {
		return nil
	}
	if e.Request.Pattern != createPattern {
		return limitedDoors[e.Request.Pattern]
	}
	if c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection")); err == nil && c.IsAuth() {
		return signUpDoor
	}
	return nil
}

// targetOf returns whom a request at a door is about, in one form for all spellings, whether or not there is an account:
// nobody learns from a limit that there is one.
func targetOf(e *core.RequestEvent, field string) string {
	var form struct {
		Identity string `json:"identity" form:"identity"`
		Email    string `json:"email" form:"email"`
		NewEmail string `json:"newEmail" form:"newEmail"`
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil || e.BindBody(&form) != nil {
		return "" // PocketBase says so
	}
	name := ""
	switch {
	case field == "identity" && strings.Contains(form.Identity, "@"):
		name = account.FoldAddress(form.Identity)
	case field == "identity":
		name = strings.ToLower(form.Identity)
	case field == "email" && form.Email != "":
		name = mail.MailboxKey(form.Email)
	case field == "newEmail" && form.NewEmail != "":
		name = mail.MailboxKey(form.NewEmail)
	}
	if name == "" {
		return ""
	}
	return c.Id + " " + name
}

// claimOfCaller returns the claim of the account that asks, else that of a guest's address: people who share an address
// do not share a limit once they are signed in.
func claimOfCaller(limits *limit.Limits, e *core.RequestEvent, byAccount, byAddress limit.Rule) limit.Claim {
	if e.Auth != nil {
		return limits.ForText(byAccount, e.Auth.Id)
	}
	return limits.ForAddress(byAddress, limit.ClientAddress(e.Request))
}

// countsAsRead reports whether a request is counted among the reads: all of the API but streams, files and health checks,
// and share pages. The web app, photos and the dashboard are what browsers and caches keep.
func countsAsRead(r *http.Request) bool {
	path := r.URL.Path
	rest, isAPI := strings.CutPrefix(path, "/api/")
	switch {
	case r.Method == http.MethodOptions, isAPI && rest == "health":
		return false
	case isAPI && (rest == "realtime" || strings.HasPrefix(rest, "files/")):
		return r.Method != http.MethodGet && r.Method != http.MethodHead
	}
	return isAPI || strings.HasPrefix(path, "/p/") || strings.HasPrefix(path, "/@") || strings.HasPrefix(path, "/tags/")
}

// bringsFiles reports whether a request may store files.
func bringsFiles(r *http.Request) bool {
	return (r.Method == http.MethodPost || r.Method == http.MethodPatch) && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") &&
		(r.Pattern == createPattern || r.Pattern == updatePattern || r.Pattern == BatchPattern)
}
