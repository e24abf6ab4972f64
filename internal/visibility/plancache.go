package visibility

import (
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

const planCacheKey = "doubletap.plans"

// planCache holds the plans of an app's rules.
type planCache struct {
	mu    sync.Mutex
	plans map[planKey]cachedPlan
}

type planKey struct{ collection, rule, viewers string }

type cachedPlan struct {
	plan    *Plan
	reason  Reason
	version *core.Collection
}

// maxPlans is how many plans are kept before all of them are forgotten. There are as many as rules, until an admin
// changes them again and again.
const maxPlans = 1000

// PlanOf returns the plan of a rule of the collection for the viewers of an auth collection, or for guests if viewers
// is nil. Without a plan it returns the reason.
//
// The collection must be as PocketBase has it cached. PocketBase loads all collections anew when one of them changes,
// so that the same pointer means the same rules and fields everywhere.
func PlanOf(app core.App, c *core.Collection, rule *string, viewers *core.Collection) (*Plan, Reason) {
	cache := app.Store().GetOrSet(planCacheKey, func() any { return &planCache{plans: map[planKey]cachedPlan{}} }).(*planCache)
	key := planKey{collection: c.Id}
	if rule != nil {
		key.rule = *rule
	} else {
		return nil, ForSuperusers
	}
	if viewers != nil {
		key.viewers = viewers.Id
	}
	cache.mu.Lock()
	defer cache.mu.Unlock()
	if known, ok := cache.plans[key]; ok && known.version == c {
		return known.plan, known.reason
	}
	if len(cache.plans) >= maxPlans {
		clear(cache.plans)
	}
	plan, reason := compileRule(app, c, rule, viewers)
	cache.plans[key] = cachedPlan{plan, reason, c}
	return plan, reason
}
