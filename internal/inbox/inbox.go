// Package inbox sends changes to the connected devices of the people whom they concern, in order. The cost depends on
// those people alone, not on who else is connected.
package inbox

import (
	"container/list"
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/background"
)

const storeKey = "doubletap.inbox"

// Inbox knows the connected devices of one app: whose they are, and what they listen to.
//
// The inbox serves all collections of ours; PocketBase's broadcast serves owners' collections only. Each row of
// notifications, settings and feed belongs to one person and is sent without any filter. Who may see any other row is
// found out after the writer has its answer, see RecordWritten. Who watches a post is also sent its counts, and its
// delete when it goes out of sight.
//
// With several nodes, the arguments of updatePerson, updateFeeds, noteCountsChanged, recheckPosts, recheckAuthor,
// recheckPerson and DisconnectPerson are what the nodes would have to send each other.
type Inbox struct {
	// OnDelivered, unless nil, is called for each notification that was written to a device, by the goroutine that
	// wrote it. Devices that PocketBase serves are not reported. Set it before the app serves.
	OnDelivered func(DeviceDelivery)

	// EnrichmentKeys, unless nil, returns a key for each of some users who see the record: users with equal keys are
	// shown the same, except for what they expand. It returns false when that is not known. Set it before the app
	// serves.
	EnrichmentKeys func(record *core.Record, users []string) (keys map[string]string, known bool, err error)

	app               core.App
	personQueue       *workQueue          // what concerns one person
	broadcastQueue    *workQueue          // what may concern everybody; it has one worker, so that each device gets changes in order
	workByDevice      map[*device]float64 // how much was done for each device since broadcastQueue was last empty; only that queue's worker uses it
	maxBacklog        int                 // keys that may wait in broadcastQueue before the devices that cost most are disconnected; only its worker uses it
	openConns         sync.WaitGroup      // connections that are not closed yet, and calls that attach them; added to with mu, while the inbox is open
	goroutines        sync.WaitGroup      // of heartbeats and connections; it grows with mu, while the inbox is open, or while one of openConns or of its own counts
	countsInterval    time.Duration       // between two messages with the counts of one post
	writeTimeout      time.Duration       // how long a device may take to accept what is written to it
	checkInterval     time.Duration       // between two checks whether connections have lasted long enough, or were silent for too long
	heartbeatInterval time.Duration       // the silence after which a device is sent a heartbeat

	descriptors  descriptorBudget
	waitingBytes atomic.Int64 // bytes that wait for all devices together

	mu             sync.Mutex // guards all below, and inSight of every subscription
	devices        map[*device]*subscription
	deviceByID     map[string]*device         // by the device's id; only devices that PocketBase does not serve
	people         map[string]subscriptionSet // by user id
	superusers     subscriptionSet            // of superusers, who are sent the rows of all people
	idleWatcher    *idleWatcher               // nil before the first connection
	watchedPosts   map[string]*watchedPost
	rowSubscribers map[rowKey]subscriptionSet  // subscriptions to topics that are not personal
	streamCounts   map[streamHolder]int        // of those who have subscribed
	strangers      map[netip.Prefix]*list.List // devices that have not subscribed yet, those first that came first
	stopHeartbeats chan struct{}               // closed to end the heartbeats, nil before the first device
	closed         bool
}

// DeviceDelivery is a notification on its way to one device of its recipient, or to a superuser's device.
type DeviceDelivery struct {
	Person      string
	Seq         int64
	CommittedAt time.Time // earlier than its own commit when several changes went together
	WrittenAt   time.Time // when it was written to the socket
}

// ForApp returns the app's inbox and makes it at the first call. The first call panics inside a transaction, since the
// inbox reads the database after that transaction.
func ForApp(app core.App) *Inbox {
	return app.Store().GetOrSet(storeKey, func() any {
		if app.IsTransactional() {
			panic("inbox: first asked for inside a transaction")
		}
		in := &Inbox{
			app:               app,
			countsInterval:    250 * time.Millisecond,
			writeTimeout:      10 * time.Second,
			checkInterval:     time.Second,
			heartbeatInterval: 25 * time.Second,

			descriptors: descriptorBudget{countOpen: countDescriptors},

			devices:        map[*device]*subscription{},
			deviceByID:     map[string]*device{},
			people:         map[string]subscriptionSet{},
			superusers:     subscriptionSet{},
			watchedPosts:   map[string]*watchedPost{},
			rowSubscribers: map[rowKey]subscriptionSet{},
			streamCounts:   map[streamHolder]int{},
			strangers:      map[netip.Prefix]*list.List{},
			workByDevice:   map[*device]float64{},
			maxBacklog:     crowdedBacklog,
		}
		in.personQueue = newWorkQueue(personWorkers, in.handleUpdate)
		in.broadcastQueue = newWorkQueue(1, in.handleUpdate)
		return in
	}).(*Inbox)
}

// existingInbox returns the app's inbox, or nil when none was made: then nobody is connected.
func existingInbox(app core.App) *Inbox {
	in, _ := app.Store().Get(storeKey).(*Inbox)
	return in
}

// ConnectedCount returns how many people are signed in, and how many devices are connected, guests' devices included.
func (in *Inbox) ConnectedCount() (people, devices int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.people), len(in.devices)
}

// IsOnline reports whether at least one device of the person is subscribed right now.
func (in *Inbox) IsOnline(person string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.people[person]) > 0
}

// DisconnectPerson disconnects all devices of a person at once. Messages that they have not taken yet are lost.
func (in *Inbox) DisconnectPerson(person string) {
	in.disconnectSubscribers(person, func(*subscription) bool { return true })
}

// DisconnectSessions does so with the devices of some of a person's sessions.
func (in *Inbox) DisconnectSessions(person string, sessions []string) {
	in.disconnectSubscribers(person, func(s *subscription) bool { return slices.Contains(sessions, s.session) })
}

func (in *Inbox) disconnectSubscribers(person string, concerned func(*subscription) bool) {
	in.mu.Lock()
	var theirs []*device
	for s := range in.people[person] {
		if concerned(s) {
			theirs = append(theirs, s.device)
		}
	}
	in.mu.Unlock()
	for _, d := range theirs {
		in.removeDevice(d)
	}
}

// Close disconnects every device, lets no other connect, and waits for the sending that is under way. For heartbeats
// that HTTP/2 clients do not take it waits until ctx ends, and returns an error then.
func (in *Inbox) Close(ctx context.Context) error {
	in.mu.Lock()
	if in.stopHeartbeats != nil && !in.closed {
		close(in.stopHeartbeats)
	}
	in.closed = true
	var all []*device
	for d := range in.devices {
		all = append(all, d)
	}
	in.mu.Unlock()
	for _, d := range all {
		in.removeDevice(d)
	}
	in.personQueue.closeAndWait()
	in.broadcastQueue.closeAndWait()
	in.openConns.Wait()
	in.idleWatcher.stopWatching()
	return background.Wait(ctx, &in.goroutines)
}
