// Package moderation is what moderators do about reports: they see the reported thing in its context, hide it or leave
// it, and every decision is recorded.
package moderation

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/comment"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/sweep"
)

// The actions of a moderator.
const (
	Dismiss   = "dismiss"
	Hide      = "hide"
	Unhide    = "unhide"
	Suspend   = "suspend"
	Unsuspend = "unsuspend"
)

// The states of a report.
const (
	Open      = "open"
	Upheld    = "upheld"
	Dismissed = "dismissed"
)

// sameSubject is the SQL condition of a report o that is about the same thing as the report r. A thing that is deleted
// is the same as no other.
const sameSubject = `o.comment = r.comment AND o.post = r.post AND o.user = r.user AND o.comment || o.post || o.user != ''`

// reportStates are the states that actions give a report. An action that is not in it leaves the state as it is.
var reportStates = map[string]string{Dismiss: Dismissed, Hide: Upheld, Suspend: Upheld}

// Decision is what a moderator or superuser wants done about a report.
type Decision struct {
	Report    string
	Action    string
	Note      string // for other moderators
	By        *core.Record
	RequestID string
}

// Event is what one person is to be told of a decision. It does not say who made the decision.
type Event struct {
	Recipient     string
	Message       string // such as post_hidden
	Post, Comment string
	Concerned     bool // the event is about the recipient's own things, not about a report of theirs
}

// MayModerate reports whether the signed-in caller is a moderator or superuser; nil is not.
func MayModerate(caller *core.Record) bool {
	return caller != nil && (caller.IsSuperuser() ||
		caller.Collection().Name == "users" && caller.GetString("role") == "moderator" && caller.GetString("state") == account.Active)
}

// ApplyDecision does what d says, in the transaction: the action itself, the state of the report, and the entry in
// audit. It returns who is to be told of it. The other open reports of the same thing are settled by
// SettleOtherReports.
func ApplyDecision(tx core.App, d Decision) ([]Event, error) {
	report, err := db.FindRecord(tx, "reports", d.Report)
	if err != nil {
		return nil, err
	}
	if report == nil {
		return nil, fault.NotFound()
	}
	on, err := subjectOf(tx, report)
	if err != nil {
		return nil, err
	}
	if !d.By.IsSuperuser() && on.person != nil && on.person.Id == d.By.Id {
		return nil, forbiddenError("Nobody decides about themselves.")
	}
	var events []Event
	target, before, after := report, map[string]any{}, map[string]any{}
	switch d.Action {
	case Dismiss:
	case Hide, Unhide:
		if target = on.reportedContent(); target == nil {
			return nil, fault.InvalidField("action", "validation_no_content", "There is no post or comment to hide.")
		}
		hidden := d.Action == Hide
		before["hidden"], after["hidden"] = target.GetBool("hidden"), hidden
		if target.GetBool("hidden") != hidden {
			target.Set("hidden", hidden)
			events = append(events, on.hiddenEvent(target, hidden))
		}
	case Suspend, Unsuspend:
		if target = on.person; target == nil || target.GetString("state") == account.Deleting {
			return nil, fault.InvalidField("action", "validation_no_account", "There is no such account any more.")
		}
		if !d.By.IsSuperuser() && target.GetString("role") == "moderator" {
			return nil, forbiddenError("Only superusers suspend moderators.")
		}
		state := account.Suspended
		if d.Action == Unsuspend {
			state = account.Active
		}
		before["state"], after["state"] = target.GetString("state"), state
		if d.Action == Unsuspend && target.GetString("state") != state {
			events = append(events, Event{Recipient: target.Id, Message: "account_restored", Concerned: true})
		}
		target.Set("state", state)
	default:
		return nil, fault.InvalidField("action", "validation_in_invalid", "Must be dismiss, hide, unhide, suspend or unsuspend.")
	}
	if target != report {
		if err := tx.Save(target); err != nil {
			return nil, fmt.Errorf("%s %s %s: %w", d.Action, target.Collection().Name, target.Id, err)
		}
	}
	reporterEvents, err := d.settleReport(tx, report)
	if err != nil {
		return nil, err
	}
	if state := reportStates[d.Action]; state != "" {
		before["report"], after["report"] = report.Original().GetString("state"), state
	}
	after["note"], after["decided"] = d.Note, report.Id
	return append(events, reporterEvents...), d.recordAudit(tx, target, before, after)
}

// settleReport gives the report the state that follows from the action, and returns what its reporter is told. The
// other open reports of the same thing are settled by SettleOtherReports.
func (d Decision) settleReport(tx core.App, report *core.Record) ([]Event, error) {
	state, known := reportStates[d.Action]
	if !known {
		return nil, nil
	}
	var events []Event
	if reporter := report.GetString("reporter"); report.GetString("state") != state && reporter != "" && reporter != d.By.Id {
		events = []Event{{Recipient: reporter, Message: "report_" + state}}
	}
	report.Set("state", state)
	report.Set("resolution", d.Note)
	if err := tx.Save(report); err != nil {
		return nil, fmt.Errorf("settle report %s: %w", report.Id, err)
	}
	return events, nil
}

// OtherReports returns the subject for SettleOtherReports: the open reports of the same thing at the time of d. It is
// nil if d leaves reports open.
func (d Decision) OtherReports(tx core.App) sweep.Subject {
	state, known := reportStates[d.Action]
	if !known {
		return nil
	}
	return sweep.Subject{"report": d.Report, "state": state, "note": d.Note, "by": d.By.Id, "at": clock.Timestamp(tx)}
}

// others are the open reports of the same thing as one that was decided.
const others = `reports r JOIN reports o ON o.state = 'open' AND ` + sameSubject + ` WHERE r.id = {:report} AND o.id != r.id AND o.created <= {:at}`

// Others are those who reported the same thing; SettleOtherReports decides their reports.
var Others = sweep.Part{From: others, Key: "o.reporter", Order: `GROUP BY o.reporter`, Weight: 10}

// SettleOtherReports decides the reports of these reporters as the subject's was decided, and returns what they are told.
func SettleOtherReports(tx core.App, on sweep.Subject, reporters []string) (words []Event, err error) {
	p := on.SQLParams(tx)
	var former string // who reported it first was told when that was decided
	if _, err := db.QueryValue(tx, &former, `SELECT reporter FROM reports WHERE id = {:report}`, p); err != nil {
		return nil, fmt.Errorf("find report %s: %w", on["report"], err)
	}
	for _, reporter := range reporters {
		p["reporter"] = reporter
		_, err := db.Exec(tx, `UPDATE reports SET state = {:state}, resolution = {:note}, updated = {:now}
			WHERE id IN (SELECT o.id FROM `+others+` AND o.reporter = {:reporter} LIMIT 200)`, p)
		if err != nil {
			return nil, fmt.Errorf("settle what %s reports as %s does: %w", reporter, on["report"], err)
		}
		if reporter != former && reporter != "" && reporter != on["by"] {
			words = append(words, Event{Recipient: reporter, Message: "report_" + on["state"]})
		}
	}
	return words, nil
}

func forbiddenError(text string) error { return router.NewForbiddenError(text, nil) }

// reportSubject is what a report is about: the content, if any, and the person behind it; each is nil if it is deleted.
type reportSubject struct{ comment, post, person *core.Record }

func subjectOf(tx core.App, report *core.Record) (on reportSubject, err error) {
	for _, part := range []struct {
		into           **core.Record
		collection, id string
	}{
		{&on.comment, "comments", report.GetString("comment")}, {&on.post, "posts", report.GetString("post")},
	} {
		if *part.into, err = findOrNil(tx, part.collection, part.id); err != nil {
			return reportSubject{}, err
		}
	}
	if on.comment != nil && comment.IsTombstone(on.comment) {
		on.comment = nil
	}
	person := report.GetString("user")
	if person == "" && on.reportedContent() != nil {
		person = on.reportedContent().GetString("author")
	}
	on.person, err = findOrNil(tx, "users", person)
	return on, err
}

// reportedContent returns the comment or post that is reported, the comment if both are, or nil when it is deleted.
func (on reportSubject) reportedContent() *core.Record {
	if on.comment != nil {
		return on.comment
	}
	return on.post
}

func (on reportSubject) hiddenEvent(target *core.Record, hidden bool) Event {
	event := Event{Recipient: target.GetString("author"), Message: "post", Post: target.Id, Concerned: true}
	if target == on.comment {
		event.Message, event.Post, event.Comment = "comment", target.GetString("post"), target.Id
	}
	if hidden {
		event.Message += "_hidden"
	} else {
		event.Message += "_restored"
	}
	return event
}

// findOrNil returns a record, or nil if the id is empty or the record is deleted.
func findOrNil(tx core.App, collection, id string) (*core.Record, error) {
	if id == "" {
		return nil, nil
	}
	return db.FindRecord(tx, collection, id)
}
