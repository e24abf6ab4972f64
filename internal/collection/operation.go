package collection

var operation = []Descriptor{
	{
		Name: "reports", Owner: "reporter", Moments: stamps,
		ServerFields: []string{"state", "resolution"},
		Relations: []Relation{
			{"reporter", "users", ClearField}, {"user", "users", ClearField}, {"post", "posts", ClearField}, {"comment", "comments", ClearField},
		},
		Events: Events{Noun: "report", Created: true, Updated: []Change{
			{Verb: "resolved", Fields: []string{"state"}, To: []string{"upheld", "dismissed"}},
		}},
		Expiries: []Expiry{{Name: "reports", Days: 730, MinDays: 1, Condition: `state != 'open' AND updated < {:before}`}},
		Bound:    "`reports` above; stays without the person who made it",
	},
	{
		Name: "audit", Moments: stamps,
		Expiries: []Expiry{{Name: "audit", Days: 730, MinDays: 1, Condition: `created < {:before}`}},
		Bound:    "`audit` above",
	},
	{
		Name: "jobs", NoReferences: true, Moments: stamps, OtherDates: []string{"runAt"},
		Expiries: []Expiry{{Name: "jobs", Days: 30, MinDays: 1, Condition: `state = 'dead' AND updated < {:before}`}},
		Bound:    "done ones are deleted at once, dead ones by `jobs` above",
	},
	{
		Name: "webhooks", GoneJob: "webhook.gone", OtherDates: []string{"formerUntil", "failingSince", "created", "updated"},
		Bound: "made by superusers",
	},
	{
		Name: "webhook_deliveries", OtherDates: stamps,
		Relations: []Relation{{"webhook", "webhooks", SpecialPart}},
		Expiries:  []Expiry{{Name: "deliveries", Days: 30, MinDays: 3, Condition: `state IN ('delivered', 'dead') AND updated < {:before}`, Weight: 2}},
		Bound:     "`deliveries` above; goes with its webhook",
	},
	{
		Name: "idempotency", NoReferences: true, Moments: stamps,
		Relations: []Relation{{"user", "users", DeleteRows}},
		Expiries:  []Expiry{{Name: "idempotency", Days: 1, MinDays: 1, Condition: `created < {:before}`}},
		Bound:     "one for each create with a key or a chosen id, and `idempotency` above; goes with its user",
	},
	{Name: "secrets", NoReferences: true, OtherDates: stamps, Bound: "a fixed few"},
}
