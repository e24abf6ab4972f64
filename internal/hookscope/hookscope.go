// Package hookscope tells what the handlers of PocketBase's hooks are bound to, and whose they are. PocketBase knows it
// only while it runs them: a tagged hook wraps each handler into a function that compares the tags, in a list that
// nobody else sees. This package looks into both. It first tries what it knows of them on a hook of its own; what it
// cannot read it takes for an owner's handler that is bound to everything.
package hookscope

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/pocketbase/pocketbase/tools/hook"
)

// Handler is an owner's handler of a hook.
type Handler struct {
	Hook     string // that it is bound to, such as OnRecordCreate
	Function string // its name
	File     string
	Line     int

	conditions []func(tags []string) bool // of the tagged hooks that it was bound by, all of which must hold
}

// IsBoundTo reports whether the handler may run for an event with these tags.
func (h *Handler) IsBoundTo(tags ...string) bool {
	for _, holds := range h.conditions {
		if !holds(tags) {
			return false
		}
	}
	return true
}

// Hook is one of an app's hooks.
type Hook interface {
	// Owners returns the handlers that are an owner's. It costs little while the handlers are the same as last time.
	Owners() []*Handler
	// KnowOurs takes for ours all handlers that were bound since the hook is watched.
	KnowOurs()
}

// boundFunc is a handler as it is bound: the pointer of a handler stays the same when its function becomes another.
type boundFunc[T hook.Tagger] struct {
	handler *hook.Handler[T]
	closure *closure
}

// handlerView is what was read of a hook, with the handlers from which it was read. As it holds them, no other handler
// can have their addresses.
type handlerView[T hook.Tagger] struct {
	bound  []boundFunc[T]
	owners []*Handler
}

type watchedHook[T hook.Tagger] struct {
	name   string
	list   *handlerList[T] // nil if it cannot be read
	layout wrapperLayout[T]
	before map[boundFunc[T]]bool // bound before the hook was watched
	ours   map[boundFunc[T]]bool

	view atomic.Pointer[handlerView[T]]

	mu      sync.Mutex
	shipped int // the most handlers of PocketBase that were seen; mu guards it
}

// Watch looks at one of the app's hooks, such as OnRecordCreate, from now on.
func Watch[T hook.Tagger](name string, tagged *hook.TaggedHook[T]) Hook {
	w := &watchedHook[T]{name: name, list: listOf(tagged.Hook), layout: findWrapperLayout[T](), before: map[boundFunc[T]]bool{}, ours: map[boundFunc[T]]bool{}}
	for _, bound := range w.list.read() {
		w.before[bound] = true
	}
	return w
}

func (w *watchedHook[T]) KnowOurs() {
	for _, bound := range w.list.read() {
		if !w.before[bound] {
			w.ours[bound] = true
		}
	}
	w.view.Store(nil)
}

func (w *watchedHook[T]) Owners() []*Handler {
	if w.list == nil {
		return []*Handler{{Hook: w.name, Function: "a handler that cannot be looked at"}}
	}
	if view := w.view.Load(); view != nil && w.list.is(view.bound) {
		return view.owners
	}
	view := &handlerView[T]{bound: w.list.read()}
	ours, shipped := 0, 0
	for _, bound := range view.bound {
		h := &Handler{Hook: w.name}
		w.layout.describe(bound.closure, h)
		switch {
		case w.ours[bound]:
			ours++
		case isPocketBases(h.Function):
			shipped++
		default:
			view.owners = append(view.owners, h)
		}
	}
	w.mu.Lock()
	w.shipped = max(w.shipped, shipped)
	if ours < len(w.ours) || shipped < w.shipped {
		view.owners = append(view.owners, &Handler{Hook: w.name, Function: "whoever took a handler away that ships"})
	}
	w.mu.Unlock()
	w.view.Store(view)
	return view.owners
}

// isPocketBases reports whether PocketBase itself binds a function of the name.
func isPocketBases(function string) bool {
	const module = "github.com/pocketbase/pocketbase/"
	return strings.HasPrefix(function, module+"core.") || strings.HasPrefix(function, module+"apis.")
}

// maxWraps is how many tagged hooks one handler may have been bound by; what is bound more often is not read further.
const maxWraps = 8

// describe notes what the innermost function is called, where it is and when it runs.
func (l wrapperLayout[T]) describe(c *closure, h *Handler) {
	for range maxWraps {
		at, wrapped := l[c.code]
		if !wrapped {
			break
		}
		tagged := (*hook.TaggedHook[T])(c.word(at.tagged))
		h.conditions = append(h.conditions, tagged.CanTriggerOn)
		c = (*closure)(c.word(at.handler))
	}
	function := runtime.FuncForPC(c.code)
	h.Function = function.Name()
	if strings.HasPrefix(h.Function, "reflect.") {
		h.Function = "a function made by reflection, as those of pb_hooks are"
		return
	}
	h.File, h.Line = function.FileLine(c.code)
}

// closure is a function value as Go has it: where its code is, and the variables that it captured behind that.
type closure struct{ code uintptr }

// closureOf returns the closure of a function, of whatever type.
func closureOf[F any](function F) *closure {
	return *(**closure)(unsafe.Pointer(&function)) // #nosec G103 -- a function value is one pointer
}

// word returns the nth word of a closure, of which the first one is its code.
func (c *closure) word(n uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(c), n*unsafe.Sizeof(uintptr(0)))) // #nosec G103 -- only where findWrapperLayout has found one
}
