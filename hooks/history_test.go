package hooks_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/edgeid"
	"github.com/doubletap/doubletap/internal/testenv"
)

// tieState is everything between ada, who has one post, and bob.
type tieState struct {
	follow                string // bob's follow of ada: "", pending or accepted
	adaBlocks, bobBlocks  bool
	bobMutes, bobLikes    bool
	private, followedOnly bool // of ada's account; of her post
}

func (w *tieState) isParted() bool { return w.adaBlocks || w.bobBlocks }

// seesPost reports whether bob sees ada's post.
func (w *tieState) seesPost() bool {
	return !w.isParted() && (w.follow == "accepted" || !w.private && !w.followedOnly)
}

// tieAction is a request of one of the two. answer returns the answer that it must get in a state, and changes the
// state.
type tieAction struct {
	by, method, path string
	body             jsonObject
	answer           func(w *tieState) string
}

func tieActions(ada, bob, post string) map[string]tieAction {
	records := func(collection string) string { return "/api/collections/" + collection + "/records" }
	edgeOf := func(collection string, ends ...string) string {
		return records(collection) + "/" + edgeid.IDBetween(collection, ends...)
	}
	when := func(yes bool, then, or string) string {
		if yes {
			return then
		}
		return or
	}
	set := func(field func(w *tieState) *bool, value bool) func(w *tieState) string {
		return func(w *tieState) string { *field(w) = value; return "200" }
	}
	undo := func(field func(w *tieState) *bool) func(w *tieState) string {
		return func(w *tieState) string {
			was := *field(w)
			*field(w) = false
			return when(was, "204", "404")
		}
	}
	unfollow := func(w *tieState) string {
		was := w.follow
		w.follow = ""
		return when(was != "", "204", "404")
	}
	block := func(mine, theirs func(w *tieState) *bool) func(w *tieState) string {
		return func(w *tieState) string {
			if *theirs(w) {
				return "400"
			}
			*mine(w), w.follow = true, ""
			return "200"
		}
	}
	adaBlocks, bobBlocks := func(w *tieState) *bool { return &w.adaBlocks }, func(w *tieState) *bool { return &w.bobBlocks }
	bobMutes, bobLikes := func(w *tieState) *bool { return &w.bobMutes }, func(w *tieState) *bool { return &w.bobLikes }
	private, followedOnly := func(w *tieState) *bool { return &w.private }, func(w *tieState) *bool { return &w.followedOnly }
	follow := edgeOf("follows", bob, ada)
	return map[string]tieAction{
		"bob follows": {"bob", "POST", records("follows"), jsonObject{"followee": ada}, func(w *tieState) string {
			if w.isParted() {
				return "400"
			}
			if w.follow == "" {
				w.follow = when(w.private, "pending", "accepted")
			}
			return "200 " + w.follow
		}},
		"bob unfollows":     {"bob", "DELETE", follow, nil, unfollow},
		"ada takes him off": {"ada", "DELETE", follow, nil, unfollow},
		"ada accepts": {"ada", "PATCH", follow, jsonObject{"state": "accepted"}, func(w *tieState) string {
			if w.follow == "" {
				return "404"
			}
			w.follow = "accepted"
			return "200 accepted"
		}},
		"bob reads the follow": {"bob", "GET", follow, nil, func(w *tieState) string { return when(w.follow == "", "404", "200 "+w.follow) }},

		"ada blocks":   {"ada", "POST", records("blocks"), jsonObject{"blocked": bob}, block(adaBlocks, bobBlocks)},
		"ada unblocks": {"ada", "DELETE", edgeOf("blocks", ada, bob), nil, undo(adaBlocks)},
		"bob blocks":   {"bob", "POST", records("blocks"), jsonObject{"blocked": ada}, block(bobBlocks, adaBlocks)},
		"bob unblocks": {"bob", "DELETE", edgeOf("blocks", bob, ada), nil, undo(bobBlocks)},
		"bob mutes": {"bob", "POST", records("mutes"), jsonObject{"muted": ada}, func(w *tieState) string {
			w.bobMutes = w.bobMutes || !w.adaBlocks
			return when(w.adaBlocks, "400", "200")
		}},
		"bob unmutes": {"bob", "DELETE", edgeOf("mutes", bob, ada, ""), nil, undo(bobMutes)},
		"bob likes": {"bob", "POST", records("likes"), jsonObject{"post": post}, func(w *tieState) string {
			w.bobLikes = w.bobLikes || w.seesPost()
			return when(w.seesPost(), "200", "400")
		}},
		"bob unlikes":           {"bob", "DELETE", edgeOf("likes", post, bob), nil, undo(bobLikes)},
		"bob looks at the post": {"bob", "GET", records("posts") + "/" + post, nil, func(w *tieState) string { return when(w.seesPost(), "200", "404") }},
		"bob looks at ada":      {"bob", "GET", records("users") + "/" + ada, nil, func(w *tieState) string { return when(w.adaBlocks, "404", "200") }},

		"ada closes her account":    {"ada", "PATCH", records("users") + "/" + ada, jsonObject{"private": true}, set(private, true)},
		"ada opens her account":     {"ada", "PATCH", records("users") + "/" + ada, jsonObject{"private": false}, set(private, false)},
		"ada narrows the post":      {"ada", "PATCH", records("posts") + "/" + post, jsonObject{"visibility": "followers"}, set(followedOnly, true)},
		"ada shows the post to all": {"ada", "PATCH", records("posts") + "/" + post, jsonObject{"visibility": "public"}, set(followedOnly, false)},
	}
}

// requestGate holds requests between two of their steps until another one is through, or until all are held, so that
// requests often overlap.
type requestGate struct {
	mu                     sync.Mutex
	moved                  *sync.Cond
	running, held, through int
	dice                   *rand.Rand
}

func newRequestGate(seed uint64) *requestGate {
	g := &requestGate{dice: rand.New(rand.NewPCG(seed, 0))}
	g.moved = sync.NewCond(&g.mu)
	return g
}

// runRequest counts a request while it runs.
func (g *requestGate) runRequest(request func()) {
	g.mu.Lock()
	g.running++
	g.mu.Unlock()
	request()
	g.mu.Lock()
	g.running--
	g.through++
	g.moved.Broadcast()
	g.mu.Unlock()
}

// holdRequest holds every second request.
func (g *requestGate) holdRequest() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dice.IntN(2) == 0 {
		return
	}
	g.held++
	defer func() { g.held-- }()
	for through := g.through; g.through == through && g.held < g.running; {
		g.moved.Wait()
	}
	g.through++ // lets one go on, and those that are held with it
	g.moved.Broadcast()
}

func (g *requestGate) bindHooks(app core.App, _ *hooks.Social) {
	asked := &hook.Handler[*core.RecordRequestEvent]{Priority: -1, Func: func(e *core.RecordRequestEvent) error {
		g.holdRequest()
		return e.Next()
	}}
	app.OnRecordCreateRequest().Bind(asked)
	app.OnRecordUpdateRequest().Bind(asked)
	app.OnRecordDeleteRequest().Bind(asked)
	checked := &hook.Handler[*core.RecordEvent]{Priority: 9999, Func: func(e *core.RecordEvent) error {
		g.holdRequest()
		return e.Next()
	}}
	app.OnRecordValidate("follows", "likes", "mutes", "blocks", "posts", "users").Bind(checked)
}

// TestTiesAreLinearizable lets two people follow, accept, block, mute, like, open and close at random from several
// devices at once. It asks porcupine for an order of the requests in which each answer was right: a rule's reads and
// the writes of its request must happen as if at one time.
func TestTiesAreLinearizable(t *testing.T) {
	t.Parallel()
	const devices, requests = 6, 14
	rounds := 20
	if testenv.Race { // which is many times slower, and sees a race whatever order comes of it
		rounds = 6
	}
	for round := range rounds {
		seed := uint64(time.Now().UnixNano())
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			g := newRequestGate(seed)
			owners := []func(core.App, *hooks.Social){g.bindHooks}
			if round%2 == 1 {
				owners = nil // without hooks on likes these take the fast path
			}
			s := hookstest.New(t, owners...)
			people := map[string]*hookstest.Client{"ada": s.As("ada"), "bob": s.As("bob")}
			actions := tieActions(people["ada"].ID, people["bob"].ID, people["ada"].Post("hello"))
			names := slices.Sorted(maps.Keys(actions))
			var (
				mu      sync.Mutex
				history []porcupine.Operation
				all     sync.WaitGroup
				began   = time.Now()
			)
			for device := range devices {
				all.Go(func() {
					dice := rand.New(rand.NewPCG(seed, uint64(device)))
					for range requests {
						name := names[dice.IntN(len(names))]
						a := actions[name]
						call := time.Since(began).Nanoseconds()
						var answer hookstest.Answer
						g.runRequest(func() { answer = people[a.by].Do(a.method, a.path, a.body) })
						returned := time.Since(began).Nanoseconds()
						said := fmt.Sprint(answer.Status)
						if state, ok := answer.Body["state"].(string); ok && strings.Contains(a.path, "/follows/") {
							said += " " + state
						}
						mu.Lock()
						history = append(history, porcupine.Operation{ClientId: device, Input: name, Call: call, Output: said, Return: returned})
						mu.Unlock()
					}
				})
			}
			all.Wait()
			model := porcupine.Model{
				Init: func() any { return tieState{} },
				Step: func(state, input, output any) (bool, any) {
					w := state.(tieState)
					return actions[input.(string)].answer(&w) == output, w
				},
			}
			if porcupine.CheckOperations(model, history) {
				return
			}
			slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
			t.Errorf("round %d: no order of these explains the answers:", round)
			for _, o := range history {
				t.Logf("%9d–%9d µs  device %d  %-26s %s", o.Call/1000, o.Return/1000, o.ClientId, o.Input, o.Output)
			}
		})
	}
}
