package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/metrics"
)

// limitedDoor is a route with limits of its own.
type limitedDoor struct {
	readTarget func(*core.RequestEvent) (string, error) // whom a request is about; nil where addresses alone are counted
	counts     []countedUse
	isSignIn   bool // its targets are names that sign in
}

// countedUse is one limit of a door.
type countedUse struct {
	rule limit.Rule
	by   subject
	keep outcome
}

// subject says whose unit a use takes.
type subject int

const (
	byAddress subject = iota
	byTarget          // whom the request is about
	byCaller          // the account that asks, else the address
)

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
	askedMail    = countedUse{rule: limit.MailByAddress, by: byCaller}
)

// limitedDoors are the doors of all collections of accounts, an owner's too, by the pattern of their route.
var limitedDoors = map[string]*limitedDoor{
	authPattern("auth-with-password"): {readIdentity, []countedUse{failedSignIn, {limit.SignIn, byTarget, failures}, {limit.SignInDay, byTarget, failures}}, true},
	authPattern("auth-with-otp"):      {nil, []countedUse{failedSignIn}, false},
	authPattern("auth-with-oauth2"):   {nil, []countedUse{failedSignIn}, false},

	authPattern("confirm-password-reset"): {nil, []countedUse{failedSignIn}, false},
	authPattern("confirm-verification"):   {nil, []countedUse{failedSignIn}, false},
	authPattern("confirm-email-change"):   {nil, []countedUse{failedSignIn}, false}, // it takes the password

	authPattern("request-otp"):            {readMailbox, []countedUse{askedMail, {rule: limit.CodeMail, by: byTarget}}, false},
	authPattern("request-password-reset"): {readMailbox, []countedUse{askedMail, {rule: limit.ResetMail, by: byTarget}}, false},
	authPattern("request-verification"):   {readMailbox, []countedUse{askedMail, {rule: limit.VerificationMail, by: byTarget}}, false},
	authPattern("request-email-change"):   {readNewMailbox, []countedUse{askedMail, {rule: limit.AddressChange, by: byTarget}}, false},
}

// signUpDoor is the create of a record, where that is an account.
var signUpDoor = &limitedDoor{readNewAccount, []countedUse{
	{rule: limit.SignUpTries}, {rule: limit.SignUpMailbox, by: byTarget}, {rule: limit.SignUpByAddress, keep: successes},
}, false}

func authPattern(action string) string { return "POST /api/collections/{collection}/" + action }

// CheckLimits is the middleware that counts requests against the limits, and answers those that are too many with 429.
// Superusers have none. It must run where the caller is known and the size of the body has been checked.
func CheckLimits(e *core.RequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	limits, door := limit.ForApp(e.App), doorOf(e)
	read := limit.Claim{}
	if door == nil && countsAsRead(e.Request) { // what a door has are limits enough, or no school could sign in
		read = claimOfCaller(limits, e, limit.Reads, limit.ReadsByAddress)
		state := limits.Take(read)
		if limits.IsLow(state) { // so that a client can slow down before it is refused
			limits.SetHeaders(e.Response.Header(), state)
		}
		if err := state.Error(); err != nil {
			return answerReader(e, answerLimited(e, err))
		}
	}
	if bringsFiles(e.Request) {
		if err := limits.Take(claimOfCaller(limits, e, limit.Uploads, limit.UploadsByAddress)).Error(); err != nil {
			if read != (limit.Claim{}) {
				limits.GiveBack(read)
			}
			return answerLimited(e, err)
		}
	}
	if door != nil {
		return door.pass(e, limits)
	}
	return answerLimited(e, e.Next())
}

// answerLimited adds to a 429 of ours, wherever it comes from, the headers that say how long to wait, and counts it.
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
	metrics.ForApp(e.App).CountLimited(limit.Definitions[state.Rule].Name)
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
	items, _ := errors.AsType[validation.Errors](all["requests"])
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

// pass counts a request at a door and lets it through, unless it is too many. What cannot be read is counted as it is
// of the address, and goes no further: PocketBase would read something else than what was counted.
func (d *limitedDoor) pass(e *core.RequestEvent, limits *limit.Limits) (err error) {
	target, unreadable := d.targetOf(e)
	known, text := limit.Claim{}, target
	if d.isSignIn && target != "" {
		here := targetAtAddress(e, target)
		if known = limits.ForText(limit.SignIn, here); limits.Remembers(known) { // or strangers who guess would keep them out
			text = here
		}
	}
	var reserved [4]*limit.Claim
	refused, done := false, false
	defer func() {
		for i, use := range d.counts {
			if reserved[i] != nil {
				limits.Settle(*reserved[i], !refused && (!done || use.keep == anyOutcome || (use.keep == failures) == (err != nil)))
			}
		}
	}()
	for i, use := range d.counts {
		claim := limits.ForAddress(use.rule, limit.ClientAddress(e.Request))
		switch {
		case use.by == byCaller:
			claim = claimOfCaller(limits, e, use.rule, use.rule)
		case use.by == byTarget && target == "":
			continue // PocketBase says that it is missing
		case use.by == byTarget:
			claim = limits.ForText(use.rule, text)
		}
		if err := limits.Reserve(e.Request.Context(), claim).Error(); err != nil {
			refused = true
			return answerLimited(e, err)
		}
		reserved[i] = &claim
	}
	if err = unreadable; err == nil {
		err = e.Next()
	}
	done = true
	if err == nil && known != (limit.Claim{}) {
		limits.Remember(known)
	}
	return answerLimited(e, err)
}

func doorOf(e *core.RequestEvent) *limitedDoor {
	if e.Request.Method != http.MethodPost {
		return nil
	}
	if e.Request.Pattern != CreatePattern {
		return limitedDoors[e.Request.Pattern]
	}
	if c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection")); err == nil && c.IsAuth() {
		return signUpDoor
	}
	return nil
}

// claimOfCaller returns the claim of the account that asks, else that of a guest's address: people who share an address
// do not share a limit once they are signed in.
func claimOfCaller(limits *limit.Limits, e *core.RequestEvent, byAccount, byAddress limit.Rule) limit.Claim {
	if e.Auth != nil {
		return limits.ForText(byAccount, e.Auth.Id)
	}
	return limits.ForAddress(byAddress, limit.ClientAddress(e.Request))
}

// pagePaths are where the pages begin that are made from what is stored.
var pagePaths = [...]string{"/p/", "/@", "/tags/", "/sitemap", "/oembed", "/docs/api"}

// countsAsRead reports whether a request is counted among the reads: all of the API but streams, files and health checks,
// and the pages that are made from what is stored. The web app, photos and the dashboard are what browsers and caches keep.
func countsAsRead(r *http.Request) bool {
	path := r.URL.Path
	rest, isAPI := strings.CutPrefix(path, "/api/")
	switch {
	case r.Method == http.MethodOptions, isAPI && rest == "health":
		return false
	case isAPI && (rest == "realtime" || strings.HasPrefix(rest, "files/")):
		return r.Method != http.MethodGet && r.Method != http.MethodHead
	}
	return isAPI || slices.ContainsFunc(pagePaths[:], func(begin string) bool { return strings.HasPrefix(path, begin) })
}

// bringsFiles reports whether a request may store files.
func bringsFiles(r *http.Request) bool {
	return (r.Method == http.MethodPost || r.Method == http.MethodPatch) && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") &&
		(r.Pattern == CreatePattern || r.Pattern == updatePattern || r.Pattern == BatchPattern)
}
