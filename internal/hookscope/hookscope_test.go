package hookscope

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

func passOn(e *core.RecordEvent) error { return e.Next() }

// TestPocketBasesHooksCanBeRead fails when an update of PocketBase or Go has changed what this package looks into: then
// everything an owner binds takes likes and reads off the fast path.
func TestPocketBasesHooksCanBeRead(t *testing.T) {
	if listOf(&hook.Hook[*core.RecordEvent]{}) == nil {
		t.Error("hook.Hook has other fields")
	}
	for name, n := range map[string]int{
		"RecordEvent":             len(findWrapperLayout[*core.RecordEvent]()),
		"RecordErrorEvent":        len(findWrapperLayout[*core.RecordErrorEvent]()),
		"RecordRequestEvent":      len(findWrapperLayout[*core.RecordRequestEvent]()),
		"RecordsListRequestEvent": len(findWrapperLayout[*core.RecordsListRequestEvent]()),
		"RecordEnrichEvent":       len(findWrapperLayout[*core.RecordEnrichEvent]()),
		"ModelEvent":              len(findWrapperLayout[*core.ModelEvent]()),
		"ModelErrorEvent":         len(findWrapperLayout[*core.ModelErrorEvent]()),
	} {
		if n != 2 {
			t.Errorf("%s: the wrappers of %d of Bind and BindFunc can be read", name, n)
		}
	}
}

func TestOwnersAreKnownByWhatTheyAreBoundTo(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{})
	app.OnRecordCreate("early").BindFunc(passOn)
	w := Watch("OnRecordCreate", app.OnRecordCreate())
	app.OnRecordCreate("likes").BindFunc(passOn)
	app.OnRecordCreate().BindFunc(passOn)
	w.KnowOurs()
	expect := func(moment string, want map[string]int) {
		t.Helper()
		for tag, n := range want {
			bound := 0
			for _, h := range w.Owners() {
				if h.IsBoundTo(tag, "the id of "+tag) {
					bound++
				}
				if !strings.HasSuffix(h.Function, "hookscope.passOn") && !strings.Contains(h.Function, "reflection") && !strings.Contains(h.Function, "func1") {
					t.Errorf("%s: a handler is called %q", moment, h.Function)
				}
			}
			if bound != n {
				t.Errorf("%s: %d handlers for %s, want %d", moment, bound, tag, n)
			}
		}
	}
	expect("before and ours", map[string]int{"early": 1, "likes": 0, "books": 0})
	if h := w.Owners()[0]; h.Hook != "OnRecordCreate" || !strings.HasSuffix(h.File, "hookscope_test.go") || h.Line != 12 {
		t.Errorf("the handler is %+v", h)
	}

	id := app.OnRecordCreate("books", "the id of likes").BindFunc(passOn)
	expect("by name and by id", map[string]int{"early": 1, "likes": 1, "books": 1, "posts": 0})
	app.OnRecordCreate().Unbind(id)
	expect("unbound", map[string]int{"early": 1, "likes": 0, "books": 0})

	named := &hook.Handler[*core.RecordEvent]{Id: "mine", Func: passOn}
	app.OnRecordCreate("books").Bind(named)
	expect("with an id", map[string]int{"likes": 0, "books": 1})
	app.OnRecordCreate("likes").Bind(&hook.Handler[*core.RecordEvent]{Id: "mine", Func: passOn})
	expect("replaced by its id, so that there are as many as before", map[string]int{"likes": 1, "books": 0})
	again := &hook.Handler[*core.RecordEvent]{Id: "mine", Func: passOn}
	app.OnRecordCreate("books").Bind(again)
	again.Func = passOn
	expect("with another function in the same handler", map[string]int{"likes": 1, "books": 1})
	app.OnRecordCreate("likes").Bind(again)
	app.OnRecordCreate("books").Bind(again)
	expect("bound twice, so that both must hold", map[string]int{"likes": 0, "books": 0})
	app.OnRecordCreate().Unbind("mine")

	byReflection := reflect.ValueOf(app.OnRecordCreate("likes")).MethodByName("BindFunc") // as PocketBase binds pb_hooks
	byReflection.Call([]reflect.Value{reflect.MakeFunc(byReflection.Type().In(0), func([]reflect.Value) []reflect.Value { return nil })})
	expect("by reflection", map[string]int{"likes": 1, "books": 0})
	app.OnRecordCreate("likes").Hook.BindFunc(passOn) // beside the tags
	expect("to the hook without tags", map[string]int{"likes": 2, "books": 1})

	app.OnRecordCreate().UnbindAll()
	if left := w.Owners(); len(left) != 1 || !left[0].IsBoundTo("likes") {
		t.Errorf("with ours taken away: %+v", left)
	}
}

func TestWhatCannotBeReadIsBoundToEverything(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{})
	app.OnRecordCreate("books").BindFunc(passOn)
	w := Watch("OnRecordCreate", app.OnRecordCreate()).(*watchedHook[*core.RecordEvent])
	expectAllBound := func(without string) {
		t.Helper()
		all := w.Owners()
		if len(all) == 0 {
			t.Errorf("without %s there is no handler", without)
		}
		for _, h := range all {
			if !h.IsBoundTo("likes") {
				t.Errorf("without %s: %+v", without, h)
			}
		}
	}
	w.layout = nil
	expectAllBound("the wrapper's layout")
	w.list = nil
	expectAllBound("the list")
}

func BenchmarkOwners(b *testing.B) {
	app := core.NewBaseApp(core.BaseAppConfig{})
	w := Watch("OnRecordCreate", app.OnRecordCreate())
	for range 20 {
		app.OnRecordCreate("likes").BindFunc(passOn)
	}
	w.KnowOurs()
	for b.Loop() {
		w.Owners()
	}
}
