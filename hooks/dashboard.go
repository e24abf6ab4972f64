package hooks

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/deliver/webhook"
	"doubletap/internal/fault"
	"doubletap/internal/insight"
)

// dashboard is what we add to PocketBase's dashboard: four pages, in its own look.
//
//go:embed dashboard
var dashboard embed.FS

func (s *Social) bindDashboard() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		files, err := fs.Sub(dashboard, "dashboard")
		if err != nil {
			return err
		}
		e.UIExtensions = append(e.UIExtensions, core.UIExtension{Name: "doubletap", FS: files})
		e.Router.BindFunc(func(e *core.RequestEvent) error {
			if strings.HasPrefix(e.Request.URL.Path, "/_/extensions") { // PocketBase would have them kept for two weeks, over our next version
				e.Response.Header().Set("Cache-Control", "no-cache")
			}
			return e.Next()
		})
		return e.Next()
	})
	for _, r := range []route{
		{method: "GET", path: "/api/v1/admin/insights", do: s.insightsAsked},
		{method: "GET", path: "/api/v1/admin/jobs", do: jobsAsked},
		{method: "POST", path: "/api/v1/admin/jobs/{id}", do: s.jobHandled},
		{method: "GET", path: "/api/v1/admin/deliveries", do: deliveriesAsked},
		{method: "POST", path: "/api/v1/admin/deliveries/{id}", do: deliveryRepeated},
		{method: "GET", path: "/api/v1/admin/why", do: whyAsked},
	} {
		r.access, r.internal = superusers, true
		s.routes = append(s.routes, r)
	}
}

const mostDays = 366

// insightsAsked answers GET /api/v1/admin/insights?days=.
func (s *Social) insightsAsked(e *core.RequestEvent) error {
	days := 30
	if text := e.Request.URL.Query().Get("days"); text != "" {
		var err error
		if days, err = strconv.Atoi(text); err != nil || days < 1 || days > mostDays {
			return fault.Invalid("days", "validation_invalid_days", "Must be a number from 1 to 366.")
		}
	}
	figures, err := insight.Of(e.App, days)
	if err != nil {
		return err
	}
	figures.People, figures.Devices = s.inbox.Connected()
	return e.JSON(http.StatusOK, figures)
}

// jobsAsked answers GET /api/v1/admin/jobs?state=.
func jobsAsked(e *core.RequestEvent) error {
	jobs, err := insight.JobsIn(e.App, e.Request.URL.Query().Get("state"))
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, jobs)
}

// jobHandled answers POST /api/v1/admin/jobs/{id} {action: retry|discard}.
func (s *Social) jobHandled(e *core.RequestEvent) error {
	var form struct {
		Action string `json:"action" form:"action"`
	}
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("Failed to read the submitted data.", err)
	}
	deeds := map[string]func(core.App, string) error{"retry": insight.Retry, "discard": insight.Discard}
	do := deeds[form.Action]
	if do == nil {
		return fault.Invalid("action", "validation_in_invalid", "Must be retry or discard.")
	}
	err := e.App.RunInTransaction(func(tx core.App) error { return do(tx, e.Request.PathValue("id")) })
	if errors.Is(err, insight.ErrNotDead) {
		return fault.NotFound()
	}
	if err != nil {
		return err
	}
	s.jobs.Wake()
	return e.NoContent(http.StatusNoContent)
}

// deliveriesAsked answers GET /api/v1/admin/deliveries?webhook=.
func deliveriesAsked(e *core.RequestEvent) error {
	all, err := insight.Deliveries(e.App, e.Request.URL.Query().Get("webhook"))
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"items": all})
}

// deliveryRepeated answers POST /api/v1/admin/deliveries/{id}: the event goes out once more.
func deliveryRepeated(e *core.RequestEvent) error {
	id := e.Request.PathValue("id")
	if _, err := find(e.App, "webhook_deliveries", id); err != nil {
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

// whyAsked answers GET /api/v1/admin/why?viewer=&collection=&record=. The viewer is an id or a handle, nobody for a guest.
func whyAsked(e *core.RequestEvent) error {
	query := e.Request.URL.Query()
	var viewer *core.Record
	if name := strings.TrimPrefix(strings.TrimSpace(query.Get("viewer")), "@"); name != "" {
		person, found, err := db.Optional(e.App.FindFirstRecordByFilter("users", "id = {:n} || handle = {:n}", map[string]any{"n": name}))
		if err != nil {
			return err
		}
		if !found {
			return fault.Invalid("viewer", "validation_unknown_user", "There is nobody of this id or handle.")
		}
		viewer = person
	}
	collection, err := e.App.FindCachedCollectionByNameOrId(query.Get("collection"))
	if err != nil {
		return fault.Invalid("collection", "validation_unknown_collection", "There is no such collection.")
	}
	record, err := find(e.App, collection.Name, strings.TrimSpace(query.Get("record")))
	if errors.Is(err, fault.ErrGone) {
		return fault.Invalid("record", "validation_unknown_record", "There is no such record.")
	}
	if err != nil {
		return err
	}
	reason, err := insight.Why(e.App, viewer, record)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, reason)
}
