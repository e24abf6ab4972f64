package hooks

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/moderation"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/rendition"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindModeration() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := moderation.PhotoLinks.PrepareKey(e.App); err != nil {
			return err
		}
		return e.Next()
	})
	s.routes = append(s.routes, web.Route{
		Method: "GET", Path: "/api/v1/moderation/queue", Access: web.ModeratorsOnly, Handle: serveReportQueue, ResponseBody: moderation.QueuePage{},
		Summary: "What is reported, with its context and signed photo addresses that work for 5 minutes.",
		Query: []web.QueryParameter{
			{Name: "state", About: "open (default, the oldest first), upheld or dismissed (the newest first)"},
			{Name: "cursor", About: "the cursor of the page before"}, {Name: "limit", About: "1 to 100, 20 unless told"},
		},
	}, web.Route{
		Method: "POST", Path: "/api/v1/moderation/{report}", Access: web.ModeratorsOnly, Handle: s.decideReport, RequestBody: decisionForm{}, ErrorStatuses: []int{404},
		Summary: "Decides about a report and all open ones of the same thing; audited.",
	}, web.Route{
		Method: "GET", Path: moderation.PhotoRoute + "{collection}/{record}/{file}/{size}", Handle: s.serveSignedPhoto, ContentType: "image/jpeg", SkipsLog: true,
		ErrorStatuses: []int{404},
		Summary:       "A photo by its signed address from the moderation queue; the signature is all that it asks for.",
		Query:         []web.QueryParameter{{Name: "until", About: "from the address"}, {Name: "signature", About: "from the address"}},
	})
}

// serveReportQueue answers GET /api/v1/moderation/queue.
func serveReportQueue(e *core.RequestEvent) error {
	query := e.Request.URL.Query()
	limit := 0
	if text := query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return fault.InvalidField("limit", "validation_invalid_limit", "Must be a number from 1 on.")
		}
	}
	page, err := moderation.ReadQueue(e.App, query.Get("state"), query.Get("cursor"), limit)
	if err != nil {
		return err
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, page)
}

type decisionForm struct {
	Action string `json:"action" form:"action" one:"dismiss hide unhide suspend unsuspend" about:"what to do"`
	Note   string `json:"note,omitempty" form:"note" about:"for other moderators, at most 2000 characters"`
}

// decideReport answers POST /api/v1/moderation/{report} {action, note}.
func (s *Social) decideReport(e *core.RequestEvent) error {
	var form decisionForm
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("Failed to read the submitted data.", err)
	}
	if len([]rune(form.Note)) > 2000 {
		return fault.InvalidField("note", "validation_max_text_constraint", "Must be no more than 2000 characters.")
	}
	d := moderation.Decision{
		Report: e.Request.PathValue("report"), Action: form.Action, Note: form.Note, By: e.Auth, RequestID: requestIDOf(e),
	}
	err := e.App.RunInTransaction(func(tx core.App) error {
		by, err := db.RequireRecord(tx, e.Auth.Collection().Name, e.Auth.Id)
		if err != nil {
			return err
		}
		if !moderation.MayModerate(by) { // the role may have ended since the request came
			return e.ForbiddenError("", nil)
		}
		events, err := moderation.ApplyDecision(tx, d)
		if err != nil {
			return err
		}
		if err := s.addSystemNotifications(tx, events); err != nil {
			return err
		}
		if others := d.OtherReports(tx); others != nil {
			return s.settleWork().Begin(tx, others)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

// settleWork returns the work that decides the other open reports of the same thing.
func (s *Social) settleWork() *sweep.Work {
	part := moderation.Others
	part.Do = func(tx core.App, on sweep.Subject, reporters []string) error {
		words, err := moderation.SettleOtherReports(tx, on, reporters)
		if err != nil {
			return err
		}
		return s.addSystemNotifications(tx, words)
	}
	return &sweep.Work{Kind: "report.settle", Parts: []sweep.Part{part}}
}

func (s *Social) addSystemNotifications(tx core.App, events []moderation.Event) error {
	for _, event := range events {
		if err := s.addSystemNotification(tx, event); err != nil {
			return err
		}
	}
	return nil
}

// addSystemNotification adds a notification from the service itself to a user's tray, and sends it if it is about
// something of theirs. A user who is gone gets none.
func (s *Social) addSystemNotification(tx core.App, event moderation.Event) error {
	if _, err := db.RequireRecord(tx, "users", event.Recipient); err != nil {
		if errors.Is(err, fault.ErrGone) {
			return nil
		}
		return err
	}
	notifications, err := tx.FindCachedCollectionByNameOrId("notifications")
	if err != nil {
		return err
	}
	record := core.NewRecord(notifications)
	record.Set("recipient", event.Recipient)
	record.Set("type", notification.TypeSystem)
	record.Set("message", event.Message)
	record.Set("post", event.Post)
	record.Set("comment", event.Comment)
	record.Set("latestAt", clock.Timestamp(tx))
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("tell %s of %s: %w", event.Recipient, event.Message, err)
	}
	return s.queueDelivery(tx, &notification.Event{
		Type: notification.TypeSystem, Recipient: event.Recipient, Push: event.Concerned, Mail: event.Concerned,
	}, record.Id)
}

// serveSignedPhoto answers with a photo whose address the moderation queue has signed.
func (s *Social) serveSignedPhoto(e *core.RequestEvent) error {
	asked := moderation.PhotoFile{
		Collection: e.Request.PathValue("collection"), Record: e.Request.PathValue("record"),
		File: e.Request.PathValue("file"), Size: e.Request.PathValue("size"),
	}
	header := e.Response.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer") // the address is a key
	query := e.Request.URL.Query()
	left, err := asked.TimeLeft(e.App, query.Get("until"), query.Get("signature"))
	if err != nil {
		return err
	}
	field := rendition.PhotoFields[asked.Collection]
	if left == 0 || field == "" || !rendition.IsKnownSize(asked.Size) {
		return fault.NotFound()
	}
	record, err := db.RequireRecord(e.App, asked.Collection, asked.Record)
	if errors.Is(err, fault.ErrGone) || err == nil && !slices.Contains(record.GetStringSlice(field), asked.File) {
		return fault.NotFound()
	}
	if err != nil {
		return err
	}
	if _, err := s.studio.EnsureRendered(e.Request.Context(), record, asked.File); err != nil {
		return unshown(err)
	}
	files, err := e.App.NewFilesystem()
	if err != nil {
		return fmt.Errorf("open the storage: %w", err)
	}
	defer files.Close()
	header.Set("Cache-Control", fmt.Sprintf("private, max-age=%d", int(left.Seconds())))
	return files.Serve(e.Response, e.Request, rendition.StorageKey(record, asked.File, asked.Size), asked.File)
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,100}$`)

// requestIDOf returns the request's id for the audit: the caller's X-Request-Id, or a new one. The answer names it
// too.
func requestIDOf(e *core.RequestEvent) string {
	id := e.Request.Header.Get("X-Request-Id")
	if !requestIDPattern.MatchString(id) {
		id = security.RandomString(20)
	}
	e.Response.Header().Set("X-Request-Id", id)
	return id
}
