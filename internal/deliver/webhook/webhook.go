// Package webhook tells other services what happened here, signed (Standard Webhooks), until they have answered or
// three days have passed. Each webhook has its own pace.
package webhook

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
)

// KindPrefix begins the kind of a webhook's jobs. Each webhook has a kind of its own, so that a slow one takes no
// place from another.
const KindPrefix = "webhook:"

const (
	maxConcurrent      = 2 // deliveries of one webhook at a time
	maxConcurrentTotal = 8 // deliveries of all webhooks at a time
	listMaxAge         = 30 * time.Second
)

// Webhooks is all webhooks of one app.
type Webhooks struct {
	// BeforeSend, unless nil, is called before each attempt; false drops the delivery.
	BeforeSend func(app core.App, webhook string, d *Delivery) (bool, error)
	// OnDisabled, unless nil, is called in the transaction that disables a webhook.
	OnDisabled func(tx core.App, url, contact, reason string) error

	app  core.App
	jobs *job.Runner

	cachedList atomic.Pointer[webhookList]
	mu         sync.Mutex // guards handledIDs
	handledIDs map[string]bool
}

// Delivery is one event on its way to one webhook; it is the payload of a job.
type Delivery struct {
	Event string    // the event's id, the same on every attempt
	Type  string    // such as like.created
	Body  string    // the JSON as it is sent
	Since time.Time // when it happened, or was last replayed
}

type webhookList struct {
	readAt   time.Time
	webhooks []subscriber
}

type subscriber struct {
	ID     string `db:"id"`
	Events string `db:"events"`
	types  []string
}

const storeKey = "doubletap.webhooks"

// Register makes EmitEvent on app send through jobs.
func Register(app core.App, jobs *job.Runner) *Webhooks {
	w := &Webhooks{app: app, jobs: jobs, handledIDs: map[string]bool{}}
	app.Store().Set(storeKey, w)
	return w
}

// LoadHandlers registers the handler of each webhook's jobs. EmitEvent does so for webhooks that are added later.
func (w *Webhooks) LoadHandlers() error {
	_, err := w.readList()
	return err
}

// InvalidateCache makes the next EmitEvent read the webhooks anew. Without it, as for changes made by another process,
// that happens within half a minute.
func (w *Webhooks) InvalidateCache() { w.cachedList.Store(nil) }

// EmitEvent sends an event to every webhook that asks for its type, once tx is committed. data is written as JSON, a
// record as the API shows it. While there is no webhook, it only looks into memory.
func EmitEvent(tx core.App, kind string, data any) error {
	w, _ := tx.Store().Get(storeKey).(*Webhooks)
	if w == nil {
		return nil
	}
	all, err := w.currentList()
	if err != nil {
		return fmt.Errorf("emit %s: %w", kind, err)
	}
	var delivery *Delivery
	for _, s := range all.webhooks {
		if len(s.types) > 0 && !slices.Contains(s.types, kind) {
			continue
		}
		if delivery == nil {
			if delivery, err = newDelivery(tx, kind, data); err != nil {
				return err
			}
		}
		if err := w.enqueueDelivery(tx, s.ID, delivery); err != nil {
			return err
		}
	}
	return nil
}

func (w *Webhooks) enqueueDelivery(tx core.App, webhook string, d *Delivery) error {
	return job.Enqueue(tx, KindPrefix+webhook, d, job.Dedupe(d.Event))
}

func newDelivery(tx core.App, kind string, data any) (*Delivery, error) {
	now := clock.Now(tx)
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{kind, now, data})
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", kind, err)
	}
	return &Delivery{Event: "evt_" + core.GenerateDefaultRandomId(), Type: kind, Body: string(body), Since: now}, nil
}

func (w *Webhooks) currentList() (*webhookList, error) {
	if l := w.cachedList.Load(); l != nil && time.Since(l.readAt) < listMaxAge {
		return l, nil
	}
	return w.readList()
}

// readList reads outside of any open transaction, since that may yet be rolled back.
func (w *Webhooks) readList() (*webhookList, error) {
	l := &webhookList{readAt: time.Now()}
	err := w.app.ConcurrentDB().NewQuery(`SELECT id, coalesce(events, '[]') events FROM webhooks WHERE NOT disabled`).All(&l.webhooks)
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	for i := range l.webhooks {
		_ = json.Unmarshal([]byte(l.webhooks[i].Events), &l.webhooks[i].types) // anything else asks for all types
	}
	w.cachedList.Store(l)
	var ids []string // also of disabled webhooks, whose jobs wait
	if err := w.app.ConcurrentDB().NewQuery(`SELECT id FROM webhooks`).Column(&ids); err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		if !w.handledIDs[id] {
			w.handledIDs[id] = true
			// its age ends a delivery, not the number of attempts
			w.jobs.Handle(KindPrefix+id, w.handlerFor(id), job.Concurrency(maxConcurrent), job.WithinGroup("webhooks", maxConcurrentTotal), job.WithinGroup(job.ExternalGroup, job.MaxExternal), job.MaxAttempts(10_000))
		}
	}
	return l, nil
}

// CleanupParts delete what waited for a deleted webhook, the subject's id, and the log of what it was sent.
var CleanupParts = []sweep.Part{
	sweep.DeletePart("jobs", `kind = '`+KindPrefix+`' || {:id}`).Heavier(bodyWeight),
	sweep.DeletePart("webhook_deliveries", `webhook = {:id}`).Heavier(bodyWeight),
}

// bodyWeight is the cost of a row that holds a whole event.
const bodyWeight = 2

// ResumeWork makes deliveries due that wait for a webhook, the subject's id, that was enabled again.
var ResumeWork = sweep.Work{Kind: "webhook.resume", Parts: []sweep.Part{
	sweep.UpdatePart("jobs", `runAt = {:at}`, `kind = '`+KindPrefix+`' || {:id} AND state = 'ready' AND runAt > {:at}`),
}}

// Replay sends an event to its webhook once more, under the same id. What was delivered or given up begins anew, what
// is under way goes on. id is that of a row of webhook_deliveries.
func Replay(app core.App, id string) error {
	var row struct {
		Webhook string `db:"webhook"`
		Event   string `db:"event"`
		Type    string `db:"type"`
		Body    string `db:"body"`
	}
	w, _ := app.Store().Get(storeKey).(*Webhooks)
	return app.RunInTransaction(func(tx core.App) error {
		found, err := db.QueryOne(tx, &row, `SELECT webhook, event, type, body FROM webhook_deliveries WHERE id = {:id}`, db.Params{"id": id})
		switch {
		case err != nil:
			return fmt.Errorf("replay delivery %s: %w", id, err)
		case !found:
			return fmt.Errorf("replay delivery %s: not found", id)
		case w == nil:
			return fmt.Errorf("replay delivery %s: this app sends no webhooks", id)
		}
		_, err = db.Exec(tx, `DELETE FROM jobs WHERE kind = {:kind} AND dedupe = {:event} AND state = 'dead'`,
			db.Params{"kind": KindPrefix + row.Webhook, "event": row.Event})
		if err != nil {
			return fmt.Errorf("replay delivery %s: %w", id, err)
		}
		return w.enqueueDelivery(tx, row.Webhook, &Delivery{Event: row.Event, Type: row.Type, Body: row.Body, Since: clock.Now(tx)})
	})
}
