package web

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/webhook"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/insight"
)

// dashboardFiles are the four pages that we add to PocketBase's dashboard, in its own look.
//
//go:embed dashboard
var dashboardFiles embed.FS

// DashboardExtension returns the pages as PocketBase's dashboard takes them.
func DashboardExtension() (core.UIExtension, error) {
	files, err := fs.Sub(dashboardFiles, "dashboard")
	return core.UIExtension{Name: "doubletap", FS: files}, err
}

// RefreshExtensions is the middleware that has browsers ask for the pages each time. PocketBase would have them cached
// for two weeks, past our next version.
func RefreshExtensions(e *core.RequestEvent) error {
	if strings.HasPrefix(e.Request.URL.Path, "/_/extensions") {
		e.Response.Header().Set("Cache-Control", "no-cache")
	}
	return e.Next()
}

const maxInsightDays = 366

// ServeInsights answers GET /api/v1/admin/insights?days=.
// connected returns how many people and devices are connected for realtime.
func ServeInsights(e *core.RequestEvent, connected func() (people, devices int)) error {
	days := 30
	if text := e.Request.URL.Query().Get("days"); text != "" {
		var err error
		if days, err = strconv.Atoi(text); err != nil || days < 1 || days > maxInsightDays {
			return fault.InvalidField("days", "validation_invalid_days", "Must be a number from 1 to 366.")
		}
	}
	figures, err := insight.ReadFigures(e.App, days)
	if err != nil {
		return err
	}
	figures.People, figures.Devices = connected()
	return e.JSON(http.StatusOK, figures)
}

// ServeJobs answers GET /api/v1/admin/jobs?state=.
func ServeJobs(e *core.RequestEvent) error {
	jobs, err := insight.ListJobs(e.App, e.Request.URL.Query().Get("state"))
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, jobs)
}

// ApplyJobAction answers POST /api/v1/admin/jobs/{id} {action: retry|discard}.
// wake lets the runner look for jobs that are due.
func ApplyJobAction(e *core.RequestEvent, wake func()) error {
	var form struct {
		Action string `json:"action" form:"action"`
	}
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("Failed to read the submitted data.", err)
	}
	actions := map[string]func(core.App, string) error{"retry": insight.RetryJob, "discard": insight.DiscardJob}
	do := actions[form.Action]
	if do == nil {
		return fault.InvalidField("action", "validation_in_invalid", "Must be retry or discard.")
	}
	err := e.App.RunInTransaction(func(tx core.App) error { return do(tx, e.Request.PathValue("id")) })
	if errors.Is(err, insight.ErrNotDead) {
		return fault.NotFound()
	}
	if err != nil {
		return err
	}
	wake()
	return e.NoContent(http.StatusNoContent)
}

// ServeDeliveries answers GET /api/v1/admin/deliveries?webhook=.
func ServeDeliveries(e *core.RequestEvent) error {
	all, err := insight.ListDeliveries(e.App, e.Request.URL.Query().Get("webhook"))
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"items": all})
}

// ReplayDelivery answers POST /api/v1/admin/deliveries/{id}: the event is sent once more.
func ReplayDelivery(e *core.RequestEvent) error {
	id := e.Request.PathValue("id")
	if _, err := db.RequireRecord(e.App, "webhook_deliveries", id); err != nil {
		if errors.Is(err, fault.ErrGone) {
			return fault.NotFound()
		}
		return err
	}
	if err := webhook.Replay(e.App, id); err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

// ExplainVisibility answers GET /api/v1/admin/why?viewer=&collection=&record=. The viewer is an id or a handle, or
// empty for a guest.
func ExplainVisibility(e *core.RequestEvent) error {
	query := e.Request.URL.Query()
	var viewer *core.Record
	if name := strings.TrimPrefix(strings.TrimSpace(query.Get("viewer")), "@"); name != "" {
		person, found, err := db.Optional(e.App.FindFirstRecordByFilter("users", "id = {:n} || handle = {:n}", map[string]any{"n": name}))
		if err != nil {
			return err
		}
		if !found {
			return fault.InvalidField("viewer", "validation_unknown_user", "There is nobody of this id or handle.")
		}
		viewer = person
	}
	collection, err := e.App.FindCachedCollectionByNameOrId(query.Get("collection"))
	if err != nil {
		return fault.InvalidField("collection", "validation_unknown_collection", "There is no such collection.")
	}
	record, err := db.RequireRecord(e.App, collection.Name, strings.TrimSpace(query.Get("record")))
	if errors.Is(err, fault.ErrGone) {
		return fault.InvalidField("record", "validation_unknown_record", "There is no such record.")
	}
	if err != nil {
		return err
	}
	reason, err := insight.ExplainView(e.App, viewer, record)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, reason)
}
