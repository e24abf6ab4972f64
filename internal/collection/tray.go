package collection

var tray = []Descriptor{
	{
		Name: "notifications", GoneJob: "notification.detach", Moments: []string{"created", "updated", "latestAt", "pushedAt", "mailedAt"},
		ServerFields: []string{"recipient", "type", "actors", "post", "comment", "message", "latestAt", "seq"},
		Derived:      []string{"actorsCount", "groupKey"},
		Relations: []Relation{
			{"recipient", "users", DeleteRows}, {"actors", "users", SpecialPart},
			{"post", "posts", SpecialPart}, {"comment", "comments", SpecialPart},
		},
		Expiries: []Expiry{
			{Name: "notifications", Days: 90, MinDays: 1, Condition: `read AND latestAt < {:before}`, Weight: 10},
			{Name: "unread", Days: 365, MinDays: 1, Condition: `NOT read AND latestAt < {:before}`, Weight: 10},
		},
		Bound: "`notifications` and `unread` above; goes with its recipient and its post",
	},
	{ // behind the notifications that hold them, as expired rows are deleted in this order
		Name: "notification_events", Moments: []string{"created", "updated", "alertedAt"},
		Relations: []Relation{
			{"notification", "notifications", SpecialPart}, {"recipient", "users", DeleteRows}, {"actor", "users", SpecialPart},
		},
		// as long as its event is stored, an action of the last 7 days is not notified again
		Expiries: []Expiry{{Name: "events", Days: 90, MinDays: 8, Condition: `notification = '' AND created < {:before}`, Weight: 2}},
		Bound:    "its notification, and `events` above; goes with its actor and its recipient",
	},
	{
		Name: "retractions", Moments: stamps,
		Relations: []Relation{{"recipient", "users", DeleteRows}},
		// a device that was away for up to 7 days can still catch up
		Expiries: []Expiry{{Name: "retractions", Days: 7, MinDays: 7, Condition: `created < {:before}`}},
		Bound:    "one for each notification, and `retractions` above",
	},
}
