package hooks

import (
	"fmt"

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

// reportRequested answers a report that somebody sends again with the stored one, if that is open, in one transaction
// with the new one.
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
		return e.Next()
	})
}

func setReportDefaults(e *core.RecordEvent) error {
	guard.SetDefault(e.Record, "state", "open")
	return e.Next()
}

func (s *Social) reportStored(tx core.App, e *core.RecordEvent) error {
	return runHook("OnReport", &s.events.report, &ReportEvent{App: tx, Report: e.Record}, e.Next)
}
