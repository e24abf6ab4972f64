package inbox

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// viewKey is what listeners have in common who are sent the same bytes: the key of their group and the topic's
// options.
type viewKey struct{ viewers, options string }

// sendRow sends a row to those who may see it. It is enriched and encoded once for each viewKey.
func (in *Inbox) sendRow(action string, record *core.Record, seeing []listener) error {
	keyOf, err := in.groupByEnrichment(record, seeing)
	if err != nil {
		return err
	}
	views := map[viewKey][]listener{}
	for _, l := range seeing {
		_, options, _ := strings.Cut(l.topic.name, "?")
		v := viewKey{keyOf(l), options}
		views[v] = append(views[v], l)
	}
	for _, all := range views {
		in.chargeListeners(all)
		first := all[0]
		shown := in.enrichRows(in.realtimeRequest(first.auth, first.topic.options), []*core.Record{record})[record.Id]
		data := in.encodeRow(action, first.topic, shown)
		for _, l := range all {
			if data != nil && viewerKey(l.device.signedInAs()) == viewerKey(l.auth) {
				l.device.Send(subscriptions.Message{Name: l.topic.name, Data: data})
			}
		}
	}
	return nil
}

// groupByEnrichment returns a function that maps a listener to the key of a group. Those in one group are shown the
// same record when they ask in the same words: all guests are one group, and so are users who stand in the same
// relation to the record. Anybody else, and a user who expands something, is a group of their own.
func (in *Inbox) groupByEnrichment(record *core.Record, seeing []listener) (func(listener) string, error) {
	users := map[string]bool{}
	for _, l := range seeing {
		if l.auth != nil && l.person != "" && l.topic.options.Query["expand"] == "" {
			users[l.person] = true
		}
	}
	var keysOf map[string]string
	if known := false; in.EnrichmentKeys != nil && len(users) > 0 {
		var err error
		if keysOf, known, err = in.EnrichmentKeys(record, mapKeys(users)); err != nil {
			return nil, fmt.Errorf("compare the viewers of %s %s: %w", record.Collection().Name, record.Id, err)
		}
		if !known {
			keysOf = nil
		}
	}
	return func(l listener) string {
		key, known := keysOf[l.person]
		if l.auth == nil || !known || l.person == "" || l.topic.options.Query["expand"] != "" {
			return "the viewer " + viewerKey(l.auth)
		}
		return "users " + key
	}, nil
}
