package hooks

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/hookscope"
	"github.com/doubletap/doubletap/internal/listing"
)

// watchedHooks are the hooks that PocketBase's general path runs and the fast path does not.
type watchedHooks struct {
	write  []hookscope.Hook // for a record that is created or deleted
	read   []hookscope.Hook // for the collection that a read is of
	enrich hookscope.Hook   // for each record that is shown
}

// watchHooks tells ours from an owner's handlers by when they are bound: Bind calls it first, and knowOurs last.
func watchHooks(app core.App) watchedHooks {
	enrich := hookscope.Watch("OnRecordEnrich", app.OnRecordEnrich())
	return watchedHooks{
		write: []hookscope.Hook{
			enrich,
			hookscope.Watch("OnRecordCreateRequest", app.OnRecordCreateRequest()),
			hookscope.Watch("OnRecordValidate", app.OnRecordValidate()),
			hookscope.Watch("OnRecordCreate", app.OnRecordCreate()),
			hookscope.Watch("OnRecordCreateExecute", app.OnRecordCreateExecute()),
			hookscope.Watch("OnRecordAfterCreateSuccess", app.OnRecordAfterCreateSuccess()),
			hookscope.Watch("OnRecordAfterCreateError", app.OnRecordAfterCreateError()),
			hookscope.Watch("OnRecordDeleteRequest", app.OnRecordDeleteRequest()),
			hookscope.Watch("OnRecordDelete", app.OnRecordDelete()),
			hookscope.Watch("OnRecordDeleteExecute", app.OnRecordDeleteExecute()),
			hookscope.Watch("OnRecordAfterDeleteSuccess", app.OnRecordAfterDeleteSuccess()),
			hookscope.Watch("OnRecordAfterDeleteError", app.OnRecordAfterDeleteError()),
			hookscope.Watch("OnModelValidate", app.OnModelValidate()),
			hookscope.Watch("OnModelCreate", app.OnModelCreate()),
			hookscope.Watch("OnModelCreateExecute", app.OnModelCreateExecute()),
			hookscope.Watch("OnModelAfterCreateSuccess", app.OnModelAfterCreateSuccess()),
			hookscope.Watch("OnModelAfterCreateError", app.OnModelAfterCreateError()),
			hookscope.Watch("OnModelDelete", app.OnModelDelete()),
			hookscope.Watch("OnModelDeleteExecute", app.OnModelDeleteExecute()),
			hookscope.Watch("OnModelAfterDeleteSuccess", app.OnModelAfterDeleteSuccess()),
			hookscope.Watch("OnModelAfterDeleteError", app.OnModelAfterDeleteError()),
		},
		read: []hookscope.Hook{
			hookscope.Watch("OnRecordsListRequest", app.OnRecordsListRequest()),
			hookscope.Watch("OnRecordViewRequest", app.OnRecordViewRequest()),
		},
		enrich: enrich,
	}
}

func (w watchedHooks) knowOurs() {
	for _, h := range append(w.write, w.read...) {
		h.KnowOurs()
	}
}

// handlersBoundTo returns the owner's handlers of a hook that run for records of one of the collections.
func handlersBoundTo(h hookscope.Hook, collections ...*core.Collection) (bound []*hookscope.Handler) {
	for _, handler := range h.Owners() {
		for _, c := range collections {
			if handler.IsBoundTo(c.Name, c.Id) {
				bound = append(bound, handler)
				break
			}
		}
	}
	return bound
}

// ofWrites returns the owner's handlers that run when a record of the collection is created or deleted.
func (w watchedHooks) ofWrites(c *core.Collection) (bound []*hookscope.Handler) {
	for _, h := range w.write {
		bound = append(bound, handlersBoundTo(h, c)...)
	}
	return bound
}

// ofReads returns the owner's handlers that run when records of the collection are read, with what they may expand.
func (w watchedHooks) ofReads(app core.App, collection string) (bound []*hookscope.Handler, err error) {
	if len(w.enrich.Owners()) == 0 && !slices.ContainsFunc(w.read, func(h hookscope.Hook) bool { return len(h.Owners()) > 0 }) {
		return nil, nil
	}
	shown, err := listing.ShownCollections(app, collection)
	if err != nil {
		return nil, err
	}
	for _, h := range w.read {
		bound = append(bound, handlersBoundTo(h, shown[0])...)
	}
	return append(bound, handlersBoundTo(w.enrich, shown...)...), nil
}

// bindPaths logs at the start which path requests take, and tells the doctor.
func (s *Social) bindPaths() {
	fastpath.SetPaths(s.app, s.describePaths)
	s.app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Priority: lastPriority, Func: func(e *core.ServeEvent) error {
		paths, err := s.describePaths()
		if err != nil {
			return err
		}
		attributes := make([]any, 0, 2*len(paths))
		for _, path := range paths {
			attributes = append(attributes, path.Requests, path.String())
		}
		s.app.Logger().Info("which path requests take", attributes...)
		return e.Next()
	}})
}

// describePaths returns which path likes, the reads of each collection and comments take. Hooks that an owner binds
// later count in the request.
func (s *Social) describePaths() ([]fastpath.Path, error) {
	likes, err := s.app.FindCachedCollectionByNameOrId("likes")
	if err != nil {
		return nil, fmt.Errorf("find likes: %w", err)
	}
	paths := []fastpath.Path{{Requests: "likes", Reasons: handlerNames(s.hooks.ofWrites(likes))}}
	for _, name := range listing.Collections() {
		bound, err := s.hooks.ofReads(s.app, name)
		if err != nil {
			return nil, err
		}
		paths = append(paths, fastpath.Path{Requests: "reads of " + name, Reasons: handlerNames(bound)})
	}
	if os.Getenv("DOUBLETAP_FASTPATH") == "off" {
		for i := range paths {
			paths[i].IsOff = true
		}
	}
	return append(paths, fastpath.Path{Requests: "comments", IsOff: true}), nil
}

// handlerNames returns what to call handlers, for their owner to find them.
func handlerNames(handlers []*hookscope.Handler) (names []string) {
	for _, h := range handlers {
		name := h.Hook + " " + strings.TrimSuffix(h.Function, "-fm")
		if h.File != "" {
			name = fmt.Sprintf("%s (%s:%d)", name, h.File, h.Line)
		}
		names = append(names, name)
	}
	return names
}
