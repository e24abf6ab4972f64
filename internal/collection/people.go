package collection

// stamps are the dates that every collection has.
var stamps = []string{"created", "updated"}

var people = []Descriptor{
	{
		Name: "users", GoneJob: "account.erase", Photos: "avatar", Moments: stamps,
		ServerFields: []string{"state", "role"}, Derived: []string{"postsCount"},
		Events: Events{Noun: "user", Created: true, Updated: []Change{
			{Verb: "deleted", Fields: []string{"state"}, To: []string{"deleting"}, IDOnly: true},
			{Verb: "updated", Fields: []string{"handle", "name", "bio", "avatar", "private", "state", "role"}},
		}},
		Bound: "people: a closed account is erased by a job that begins at once",
	},
	{
		Name: "settings", Moments: []string{"created", "updated", "seenAt", "readAt", "digestedAt"},
		Relations:    []Relation{{"user", "users", DeleteRowsLast}},
		ServerFields: []string{"readAt"}, Derived: []string{"seq"}, Together: []string{"quietFrom", "quietTo"},
		Shapes: map[string]Shape{"notify": Preferences},
		Bound:  "one for each user",
	},
	{
		Name: "devices", Owner: "user", Moments: []string{"created", "updated", "lastSeen", "answeredAt", "failingSince"},
		Relations:    []Relation{{"user", "users", DeleteRows}},
		ServerFields: []string{"lastSeen", "answeredAt", "failingSince", "session"},
		Shapes:       map[string]Shape{"keys": DeviceKeys},
		Events:       Events{None: "an endpoint is a secret between a device and the service"},
		Expiries:     []Expiry{{Name: "devices", Days: 270, MinDays: 7, Condition: `max(lastSeen, answeredAt, created) < {:before}`}},
		Bound:        "20 for each user, and `devices` above; goes with a session that is ended",
	},
	{
		Name: "account_sessions", NoReferences: true, Moments: []string{"created", "updated", "lastSeen"}, OtherDates: []string{"ends"},
		Relations: []Relation{{"user", "users", DeleteRows}},
		Expiries: []Expiry{
			{Name: "idle-sessions", Days: 14, MinDays: 14, Condition: `method != 'impersonation' AND lastSeen < {:before}`},
			{Name: "sessions", Days: 0, MinDays: 0, Condition: `ends < {:before}`},
		},
		Bound: "100 for each user, and `idle-sessions` and `sessions` above",
	},
	{
		Name: "handles", Moments: stamps, OtherDates: []string{"until"},
		Expiries: []Expiry{{Name: "handles", Days: 0, MinDays: 0, Condition: `until != '' AND until < {:before}`}},
		Bound:    "one for each account that was deleted, and `handles` above",
	},
}
