// Package limit counts what callers do, and says when it is too much: sign-ins, mails that are asked for, uploads, reads,
// streams, and what one person may add in a time. All limits are in one table, of which docs/limits.md is made.
package limit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rule is one limit of the table.
type Rule uint8

// The rules, in the order of docs/limits.md.
const (
	SignInByAddress Rule = iota
	SignIn
	SignInDay
	CodeGuesses
	PasswordProof
	SignUpByAddress
	SignUpTries
	SignUpMailbox
	MailByAddress
	ResetMail
	VerificationMail
	CodeMail
	AddressChange
	Uploads
	UploadsByAddress
	Reads
	ReadsByAddress
	Streams
	StreamsByAddress
	Likes
	Follows
	Comments
	Posts
	Reports
	ruleCount

	firstAdded = Likes // from here on they are called as the collections that they are about
)

// Definition is what docs/limits.md says of a rule.
type Definition struct {
	Name  string        // in EnvVariable and in the RateLimit header
	Per   string        // whom or what it counts
	Most  int           // units that may be taken at once
	In    time.Duration // in which that many come back; 0 for what is open at the same time
	About string
}

// Definitions are those of all rules, by rule, with the numbers that hold unless the operator sets others.
var Definitions = [ruleCount]Definition{
	SignInByAddress:  {"sign-in-address", "address", 25, 5 * time.Minute, "sign-ins by password, code or OAuth2 that failed, and links of mails that are used"},
	SignIn:           {"sign-in", "name", 10, 15 * time.Minute, "sign-ins by password that failed, by the name that was typed, whether or not it has an account"},
	SignInDay:        {"sign-in-day", "name", 50, 24 * time.Hour, "the same, over a day"},
	CodeGuesses:      {"code-guesses", "code", 5, 5 * 24 * time.Hour, "guesses of one code that was mailed; after them it opens nothing"},
	PasswordProof:    {"password-proof", "account", 10, 15 * time.Minute, "wrong passwords that somebody who is signed in gives for a change of the account"},
	SignUpByAddress:  {"sign-up", "address", 20, time.Hour, "accounts that are made"},
	SignUpTries:      {"sign-up-tries", "address", 25, 5 * time.Minute, "sign-ups that are tried, those that are refused too"},
	SignUpMailbox:    {"sign-up-mailbox", "mailbox", 5, 30 * time.Minute, "sign-ups that are tried with one e-mail address"},
	MailByAddress:    {"mail-address", "account or guest address", 25, 5 * time.Minute, "requests that mail an account"},
	ResetMail:        {"password-reset", "mailbox", 5, 30 * time.Minute, "requests to set a new password"},
	VerificationMail: {"verification", "mailbox", 5, 30 * time.Minute, "requests to confirm an e-mail address"},
	CodeMail:         {"one-time-code", "mailbox", 5, 30 * time.Minute, "requests for a code to sign in with"},
	AddressChange:    {"address-change", "mailbox", 5, 30 * time.Minute, "requests to change to one e-mail address"},
	Uploads:          {"uploads", "account", 30, 30 * time.Minute, "requests that bring files"},
	UploadsByAddress: {"uploads-address", "guest address", 30, 30 * time.Minute, "the same of guests"},
	Reads:            {"reads", "account", 1500, 5 * time.Minute, "requests to the API and for pages"},
	ReadsByAddress:   {"reads-address", "guest address", 300, 5 * time.Minute, "the same of guests"},
	Streams:          {"streams", "account", 8, 0, "realtime streams"},
	StreamsByAddress: {"streams-address", "guest address", 32, 0, "realtime streams of guests"},
	Likes:            {"likes", "account", 500, 24 * time.Hour, "likes that are added"},
	Follows:          {"follows", "account", 150, time.Hour, "follows that are added"},
	Comments:         {"comments", "account", 60, time.Hour, "comments that are added"},
	Posts:            {"posts", "account", 50, 24 * time.Hour, "posts that are added"},
	Reports:          {"reports", "account", 20, 24 * time.Hour, "reports that are added"},
}

// EnvVariable is the environment variable that takes all limits away, "off", or changes some of them, such as
// "reads=3000/5m, likes=off".
const EnvVariable = "DOUBLETAP_LIMITS"

// ruleNamed returns the rule of a name.
func ruleNamed(name string) (Rule, bool) {
	at := slices.IndexFunc(Definitions[:], func(d Definition) bool { return d.Name == name })
	return Rule(max(at, 0)), at >= 0 // #nosec G115 -- the table is short
}

// parseSettings returns the definitions as the text of EnvVariable changes them. One with no units is off.
func parseSettings(text string) ([ruleCount]Definition, error) {
	all := Definitions
	switch text {
	case "", "on":
		return all, nil
	case "off":
		return [ruleCount]Definition{}, nil
	}
	for _, setting := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, value, _ := strings.Cut(setting, "=")
		rule, known := ruleNamed(name)
		if !known {
			return all, fmt.Errorf("%s: no limit is called %q; docs/limits.md has the names", EnvVariable, name)
		}
		most, in, err := parseLimit(value, all[rule].In == 0)
		if err != nil {
			return all, fmt.Errorf("%s: %s is %q, want %w", EnvVariable, name, value, err)
		}
		all[rule].Most, all[rule].In = most, in
	}
	return all, nil
}

// parseLimit reads a limit, such as 30/30m or, of what is open at the same time, 8.
func parseLimit(text string, atOnce bool) (most int, in time.Duration, err error) {
	if text == "off" {
		return 0, 0, nil
	}
	number, period, timed := strings.Cut(text, "/")
	most, err = strconv.Atoi(number)
	if atOnce {
		if err != nil || timed || most < 1 {
			return 0, 0, fmt.Errorf("a number such as 8, or off")
		}
		return most, 0, nil
	}
	if in, _ = time.ParseDuration(period); err != nil || most < 1 || most > 1e9 || in < time.Second || in > 366*24*time.Hour {
		return 0, 0, fmt.Errorf("a number and a time, such as 30/30m, or off")
	}
	return most, in, nil
}
