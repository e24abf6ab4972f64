package hooks

import (
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/guard"
)

func (s *Social) bindReports() {
	s.app.OnRecordCreate("reports").BindFunc(answer(reportOffered))
	s.app.OnRecordCreateExecute("reports").BindFunc(together(s.reportStored))
}

func reportOffered(e *core.RecordEvent) error {
	guard.Default(e.Record, "state", "open")
	return e.Next()
}

func (s *Social) reportStored(tx core.App, e *core.RecordEvent) error {
	return run(&s.events.report, &ReportEvent{App: tx, Report: e.Record}, e.Next)
}

func (s *Social) bindDevices() {
	s.app.OnRecordCreateRequest("devices").BindFunc(answer(deviceRequested))
}

// deviceRequested moves an endpoint that is known to whoever is signed in on the device now.
func deviceRequested(e *core.RecordRequestEvent) error {
	e.Record.Set("lastSeen", clock.Stamp(e.App))
	known, err := e.App.FindFirstRecordByFilter("devices", "endpoint = {:e}", dbx.Params{"e": e.Record.GetString("endpoint")})
	if err != nil {
		return e.Next()
	}
	for _, field := range []string{"user", "kind", "keys", "name", "lastSeen"} {
		known.Set(field, e.Record.Get(field))
	}
	if err := e.App.Save(known); err != nil {
		return err
	}
	e.Record = known
	return e.JSON(http.StatusOK, known)
}
