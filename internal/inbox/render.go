package inbox

import (
	"encoding/json/v2"
	"net/http"
	"net/url"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/picker"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/doubletap/doubletap/internal/visibility"
)

// realtimeRequest returns the request on whose behalf PocketBase's realtime would show a row to a subscriber: a GET by
// the viewer with the query and headers of the topic's options.
func (in *Inbox) realtimeRequest(auth *core.Record, options subscriptions.SubscriptionOptions) *core.RequestEvent {
	query, header := url.Values{}, http.Header{}
	for name, value := range options.Query {
		query.Set(name, value)
	}
	for name, value := range options.Headers {
		header.Set(name, value)
	}
	e := &core.RequestEvent{App: in.app, Auth: auth}
	e.Request = &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/api/realtime", RawQuery: query.Encode()}, Header: header}
	e.Set(core.RequestEventKeyInfoContext, core.RequestInfoContextRealtime)
	return e
}

// findVisibleRows returns those of the rows that the collection's view rule shows to the viewer now.
func (in *Inbox) findVisibleRows(e *core.RequestEvent, collection string, rows dbx.HashExp) (visible []*core.Record, err error) {
	info, err := e.RequestInfo()
	if err != nil {
		return nil, err
	}
	c, err := in.app.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return nil, err
	}
	q := in.app.RecordQuery(c)
	for column, value := range rows { // the rule may join tables that have such columns too
		q.AndWhere(dbx.HashExp{c.Name + "." + column: value})
	}
	if err := visibility.Restrict(in.app, q, c, c.ViewRule, info); err != nil {
		return nil, err
	}
	err = q.All(&visible)
	return visible, err
}

// enrichRows returns, by id, copies of the rows as the viewer sees them: with what the topic asks to expand, and with
// the fields that hooks add. It returns nil when a hook fails: then a GET cannot read the rows either.
func (in *Inbox) enrichRows(e *core.RequestEvent, rows []*core.Record) map[string]*core.Record {
	copies := make([]*core.Record, len(rows))
	for i, row := range rows {
		copies[i] = row.Fresh()
	}
	if err := apis.EnrichRecords(e, copies); err != nil {
		in.app.Logger().Warn("could not show to a device", "viewer", viewerKey(e.Auth), "collection", rows[0].Collection().Name, "err", err)
		return nil
	}
	return recordsByID(copies)
}

func recordsByID(rows []*core.Record) map[string]*core.Record {
	all := make(map[string]*core.Record, len(rows))
	for _, row := range rows {
		all[row.Id] = row
	}
	return all
}

// encodeMessage returns the message in PocketBase's shape. A delete holds nothing but the row's id and collection,
// since the viewer may not see the row any more. For any other action it returns nil when shown is nil: the row could
// not be shown.
func (in *Inbox) encodeMessage(action string, g *viewGroup, shown *core.Record, collection, id string) []byte {
	if action != "delete" {
		return in.encodeRow(action, g.topic, shown)
	}
	c, err := in.app.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return nil
	}
	return in.marshalMessage(action, map[string]string{"id": id, "collectionId": c.Id, "collectionName": c.Name}, collection, id)
}

// encodeRow returns the message of a row with the fields that the topic asks for, or nil when shown is nil: the row
// could not be shown.
func (in *Inbox) encodeRow(action string, t topic, shown *core.Record) []byte {
	if shown == nil {
		return nil
	}
	var record any = shown
	if fields := t.options.Query["fields"]; fields != "" {
		if picked, err := picker.Pick(shown, fields); err == nil {
			record = picked
		}
	}
	return in.marshalMessage(action, record, t.collection, shown.Id)
}

func (in *Inbox) marshalMessage(action string, record any, collection, id string) []byte {
	data, err := json.Marshal(struct {
		Record any    `json:"record"`
		Action string `json:"action"`
	}{record, action})
	if err != nil {
		in.app.Logger().Warn("could not encode for a device", "collection", collection, "id", id, "err", err)
		return nil
	}
	return data
}
