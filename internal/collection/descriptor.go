// Package collection describes each collection of the service once, in plain data: what is known of it besides the
// fields, rules and indexes that the database has. The guard, the edges, the deletions, the webhooks, the invariants,
// the retention, the photos and the description of the API read it here, and none of them has a list of its own.
//
// A collection has its line in the file of what it belongs to: people, graph, posts, tray or operation.
package collection

// Descriptor is what the service knows of one of its collections.
type Descriptor struct {
	Name string
	// IsView says that its rows are those of other collections, whose descriptors speak for them.
	IsView bool

	// Owner is the field that says whose a row is: a client may leave it out, and cannot name anybody else. It is empty
	// where no client creates.
	Owner string
	// ClientChoosesID lets a client choose the id of what it creates, so that it can tell a repeated try, whose first
	// answer was lost, from a new record. The id is a key then, see TakesKeys.
	ClientChoosesID bool
	// TakesKeys lets a client send an Idempotency-Key with what it creates. Edges need none: their ids are computed.
	TakesKeys bool
	// ServerFields are set by the service. Superusers may set them, other clients may not.
	ServerFields []string
	// ServerFieldsOnCreate are further ones, which a client may change later but not choose at first.
	ServerFieldsOnCreate []string
	// RequiredTexts are texts that a client must send and may not empty, although the service stores rows without.
	RequiredTexts []string
	// Together are fields of which a client sends all or none.
	Together []string
	// Derived are the fields that follow from other rows, besides those that Counts of other collections name. Nobody
	// sets them.
	Derived []string

	// Ends are the fields that make an edge what it is, in the order of its unique index. They are empty for a
	// collection whose rows are no edges. The id of an edge is computed from them.
	Ends []string
	// ReadsRelations says that a handler of the collection reads, in the transaction, what a new row points at. What a
	// new row of any other collection of people points at is read for it.
	ReadsRelations bool

	// Relations are all relation fields, with what becomes of a row when what it points at is deleted.
	Relations []Relation
	// NoReferences says that its rows come and go with the work of the service, so that no relation of an owner's can point at them.
	NoReferences bool
	// GoneJob is the kind of the job that removes what points at a deleted row. It is empty if nothing does.
	GoneJob string
	// Counts are the counters that triggers keep of its rows.
	Counts []Count

	// Moments are the date columns that hold a time in the past.
	Moments []string
	// OtherDates are those that do not, and those of which no list of the product is made.
	OtherDates []string
	// Photos is the field that holds photos, or empty.
	Photos string
	// Shapes are what its JSON fields hold that clients see.
	Shapes map[string]Shape

	// Events are the events that webhooks hear of its rows.
	Events Events

	// Expiries are the rules by which its rows are deleted with time.
	Expiries []Expiry
	// Bound says, for docs/retention.md, why the table does not grow without end.
	Bound string
}

// Relation is a relation field of a collection.
type Relation struct {
	Field   string
	To      string
	Removal Removal
}

// Removal says what becomes of a row when what its relation points at is deleted.
type Removal int

// The removals.
const (
	// DeleteRows deletes the rows by SQL, in steps.
	DeleteRows Removal = iota + 1
	// DeleteRowsLast does so when all else of a closed account is gone.
	DeleteRowsLast
	// DeleteRecords deletes them one by one, with their hooks.
	DeleteRecords
	// ClearField empties the field; the row stays.
	ClearField
	// SpecialPart leaves it to a part that is written for it.
	SpecialPart
)

// Count is a counter: Column of Target is the number of rows whose Key points at it and that meet When, which is SQL.
type Count struct{ Key, Target, Column, When string }

// Shape is what a JSON field holds; package apidoc has the Go type of each.
type Shape int

// The shapes.
const (
	Texts       Shape = iota + 1 // a list of texts
	PhotoMetas                   // what is known of photos
	Preferences                  // how somebody wants to be told, by type of notification
	DeviceKeys                   // the keys of a push device
)

// Events are the webhook events of a collection. Their types are Noun and a verb, such as like.created.
type Events struct {
	Noun    string
	Created bool
	Deleted bool
	Updated []Change // the first that an update meets is its event
	// None is the reason why a collection in which clients create has no events.
	None string
}

// Change is an update that is an event.
type Change struct {
	Verb   string
	Fields []string // one of them has changed
	To     []string // what the first of them is now; nil for anything
	Unless string   // a boolean field: an update that leaves it true is no event
	IDOnly bool     // the event tells nothing but the id
}

// Expiry says how long those rows are kept that meet a condition.
type Expiry struct {
	Name      string // in DOUBLETAP_RETENTION
	Days      int    // unless the operator sets another number
	MinDays   int    // the smallest number that the operator may set
	Condition string // SQL, with the time {:before}
	Weight    int    // what deleting one of the rows costs, against the cheapest; 0 is 1
}
