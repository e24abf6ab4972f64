package hookscope

import (
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"github.com/pocketbase/pocketbase/tools/hook"
)

// handlerList is hook.Hook, as far as listOf finds that it still is.
type handlerList[T hook.Tagger] struct {
	handlers []*hook.Handler[T]
	mu       sync.RWMutex
}

// listOf returns the handlers of a hook, or nil if PocketBase keeps them in another way.
func listOf[T hook.Tagger](h *hook.Hook[T]) *handlerList[T] {
	theirs, known := reflect.TypeFor[hook.Hook[T]](), reflect.TypeFor[handlerList[T]]()
	if theirs.NumField() != known.NumField() {
		return nil
	}
	for i := range known.NumField() {
		if a, b := theirs.Field(i), known.Field(i); a.Name != b.Name || a.Type != b.Type || a.Offset != b.Offset {
			return nil
		}
	}
	return (*handlerList[T])(unsafe.Pointer(h)) // #nosec G103 -- the two types were just compared
}

// read returns the handlers as they are bound now.
func (l *handlerList[T]) read() (all []boundFunc[T]) {
	if l == nil {
		return nil
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, h := range l.handlers {
		all = append(all, boundFunc[T]{h, closureOf(h.Func)})
	}
	return all
}

// is reports whether the handlers are still these.
func (l *handlerList[T]) is(bound []boundFunc[T]) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.EqualFunc(l.handlers, bound, func(h *hook.Handler[T], b boundFunc[T]) bool {
		return h == b.handler && closureOf(h.Func) == b.closure
	})
}

// wrapperLayout says where the functions into which a tagged hook wraps handlers keep the hook and the handler, by the
// address of their code: one is of Bind and one of BindFunc.
type wrapperLayout[T hook.Tagger] map[uintptr]wrapperWords

type wrapperWords struct{ tagged, handler uintptr }

// maxWrapperWords is in how many words of a wrapper the two are looked for: its code, what generic code captures, and
// the two.
const maxWrapperWords = 4

// findWrapperLayout binds a handler of its own to a tagged hook of its own, in both ways, and looks where the wrappers
// keep them. What it does not find is not in the layout.
func findWrapperLayout[T hook.Tagger]() wrapperLayout[T] {
	base := &hook.Hook[T]{}
	tagged := hook.NewTaggedHook(base, "nothing")
	handler := func(T) error { return nil }
	tagged.BindFunc(handler)
	tagged.Bind(&hook.Handler[T]{Func: handler})
	layout := wrapperLayout[T]{}
	for _, bound := range listOf(base).read() {
		var at wrapperWords
		for n := uintptr(1); n < maxWrapperWords && (at.tagged == 0 || at.handler == 0); n++ {
			switch bound.closure.word(n) {
			case unsafe.Pointer(tagged): // #nosec G103 -- compared, and never followed
				at.tagged = n
			case unsafe.Pointer(closureOf(handler)): // #nosec G103 -- likewise
				at.handler = n
			}
		}
		if at.tagged != 0 && at.handler != 0 {
			layout[bound.closure.code] = at
		}
	}
	return layout
}
