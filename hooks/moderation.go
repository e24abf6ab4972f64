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

	"doubletap/internal/clock"
	"doubletap/internal/fault"
	"doubletap/internal/moderation"
	"doubletap/internal/notification"
	"doubletap/internal/rendition"
	"doubletap/internal/sweep"
)

func (s *Social) bindModeration() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := moderation.Prepare(e.App); err != nil {
			return err
		}
		return e.Next()
	})
	s.routes = append(s.routes, route{
		method: "GET", path: "/api/v1/moderation/queue", access: moderators, do: queueAsked, gives: moderation.Page{},
		summary: "What is reported, with its context and signed photo addresses that work for 5 minutes.",
		query: []parameter{
			{"state", "open (default, the oldest first), upheld or dismissed (the newest first)"},
			{"cursor", "the cursor of the page before"}, {"limit", "1 to 100, 20 unless told"},
		},
	}, route{
		method: "POST", path: "/api/v1/moderation/{report}", access: moderators, do: s.reportDecided, takes: decision{}, refuses: []int{404},
		summary: "Decides about a report and all open ones of the same thing; audited.",
	}, route{
		method: "GET", path: moderation.Photos + "{collection}/{record}/{file}/{size}", do: s.signedPhotoAsked, content: "image/jpeg", quiet: true,
		refuses: []int{404},
		summary: "A photo by its signed address from the moderation queue; the signature is all that it asks for.",
		query:   []parameter{{"until", "from the address"}, {"signature", "from the address"}},
	})
}

// queueAsked answers GET /api/v1/moderation/queue.
func queueAsked(e *core.RequestEvent) error {
	query := e.Request.URL.Query()
	limit := 0
	if text := query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return fault.Invalid("limit", "validation_invalid_limit", "Must be a number from 1 on.")
		}
	}
	page, err := moderation.Queue(e.App, query.Get("state"), query.Get("cursor"), limit)
	if err != nil {
		return err
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, page)
}

type decision struct {
	Action string `json:"action" form:"action" one:"dismiss hide unhide suspend unsuspend" about:"what to do"`
	Note   string `json:"note,omitempty" form:"note" about:"for other moderators, at most 2000 characters"`
}

// reportDecided answers POST /api/v1/moderation/{report} {action, note}.
func (s *Social) reportDecided(e *core.RequestEvent) error {
	var form decision
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("Failed to read the submitted data.", err)
	}
	if len([]rune(form.Note)) > 2000 {
		return fault.Invalid("note", "validation_max_text_constraint", "Must be no more than 2000 characters.")
	}
	d := moderation.Decision{
		Report: e.Request.PathValue("report"), Action: form.Action, Note: form.Note, By: e.Auth, RequestID: requestID(e),
	}
	err := e.App.RunInTransaction(func(tx core.App) error {
		by, err := find(tx, e.Auth.Collection().Name, e.Auth.Id)
		if err != nil {
			return err
		}
		if !moderation.MayModerate(by) { // since the request came
			return e.ForbiddenError("", nil)
		}
		words, err := moderation.Decide(tx, d)
		if err != nil {
			return err
		}
		if err := s.wordsSent(tx, words); err != nil {
			return err
		}
		if others := d.Others(tx); others != nil {
			return s.settling().Begin(tx, others)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

// settling decides the open reports of the same thing.
func (s *Social) settling() *sweep.Work {
	part := moderation.Others
	part.Do = func(tx core.App, on sweep.Subject, reporters []string) error {
		words, err := moderation.SettleOthers(tx, on, reporters)
		if err != nil {
			return err
		}
		return s.wordsSent(tx, words)
	}
	return &sweep.Work{Kind: "report.settle", Parts: []sweep.Part{part}}
}

func (s *Social) wordsSent(tx core.App, words []moderation.Word) error {
	for _, word := range words {
		if err := s.wordSent(tx, word); err != nil {
			return err
		}
	}
	return nil
}

// wordSent puts a word of ours into somebody's tray, and on its way to them when it is about their own things.
func (s *Social) wordSent(tx core.App, w moderation.Word) error {
	if _, err := find(tx, "users", w.Recipient); err != nil {
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
	record.Set("recipient", w.Recipient)
	record.Set("type", notification.System)
	record.Set("message", w.Message)
	record.Set("post", w.Post)
	record.Set("comment", w.Comment)
	record.Set("latestAt", clock.Stamp(tx))
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("tell %s of %s: %w", w.Recipient, w.Message, err)
	}
	return s.deliverTold(tx, &notification.Notice{
		Type: notification.System, Recipient: w.Recipient, Push: w.Concerned, Mail: w.Concerned,
	}, record.Id)
}

// signedPhotoAsked answers with a photo that the moderation queue signed the address of.
func (s *Social) signedPhotoAsked(e *core.RequestEvent) error {
	asked := moderation.Photo{
		Collection: e.Request.PathValue("collection"), Record: e.Request.PathValue("record"),
		File: e.Request.PathValue("file"), Size: e.Request.PathValue("size"),
	}
	header := e.Response.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer") // the address is a key
	query := e.Request.URL.Query()
	left, err := asked.Signed(e.App, query.Get("until"), query.Get("signature"))
	if err != nil {
		return err
	}
	field := rendition.Fields[asked.Collection]
	if left == 0 || field == "" || !rendition.Known(asked.Size) {
		return fault.NotFound()
	}
	record, err := find(e.App, asked.Collection, asked.Record)
	if errors.Is(err, fault.ErrGone) || err == nil && !slices.Contains(record.GetStringSlice(field), asked.File) {
		return fault.NotFound()
	}
	if err != nil {
		return err
	}
	if _, err := s.studio.Ensure(e.Request.Context(), record, asked.File); err != nil {
		return unshown(err)
	}
	files, err := e.App.NewFilesystem()
	if err != nil {
		return fmt.Errorf("open the storage: %w", err)
	}
	defer files.Close()
	header.Set("Cache-Control", fmt.Sprintf("private, max-age=%d", int(left.Seconds())))
	return files.Serve(e.Response, e.Request, rendition.Key(record, asked.File, asked.Size), asked.File)
}

var requestIDs = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,100}$`)

// requestID is what the request is called in audit: the caller's X-Request-Id, or one of ours, which the answer names.
func requestID(e *core.RequestEvent) string {
	id := e.Request.Header.Get("X-Request-Id")
	if !requestIDs.MatchString(id) {
		id = security.RandomString(20)
	}
	e.Response.Header().Set("X-Request-Id", id)
	return id
}
