package hooks

import (
	"fmt"
	"math"
	"strconv"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/guard"
)

func (s *Social) bindReports() {
	s.app.OnRecordCreateRequest("reports").BindFunc(answerErrors(reportRequested))
	s.app.OnRecordCreate("reports").BindFunc(answerErrors(setReportDefaults))
	s.app.OnRecordCreateExecute("reports").BindFunc(inTx(s.reportStored))
}

// reportRequested answers a report that somebody sends again with the stored one, if that is open, and counts new
// ones against the limit, in one transaction.
func reportRequested(e *core.RecordRequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	app := e.App
	defer func() { e.App = app }()
	return app.RunInTransaction(func(tx core.App) error {
		e.App = tx
		same := dbx.HashExp{"state": "open"}
		for _, field := range []string{"reporter", "user", "post", "comment", "reason", "note"} {
			same[field] = e.Record.GetString(field)
		}
		stored := &core.Record{}
		found, err := db.Found(tx.RecordQuery("reports").AndWhere(same).Limit(1).One(stored))
		if err != nil {
			return fmt.Errorf("look for the same report: %w", err)
		}
		if found {
			return respondRecord(e, stored)
		}
		if err := requireWithinLimit(e.RequestEvent, "reports", e.Auth.Id); err != nil {
			return err
		}
		return e.Next()
	})
}

// requireWithinLimit refuses what would be one too many of a person's in a time with 429 and a Retry-After.
func requireWithinLimit(e *core.RequestEvent, collection, person string) error {
	wait, err := guard.CreateDelay(e.App, collection, person)
	if err != nil || wait == 0 {
		return err
	}
	e.Response.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return e.TooManyRequestsError("Too many of these for now. Please try again later.", nil)
}

func setReportDefaults(e *core.RecordEvent) error {
	guard.SetDefault(e.Record, "state", "open")
	return e.Next()
}

func (s *Social) reportStored(tx core.App, e *core.RecordEvent) error {
	return runHook("OnReport", &s.events.report, &ReportEvent{App: tx, Report: e.Record}, e.Next)
}
