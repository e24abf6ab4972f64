// Package inbox brings what changes to the devices of the people it concerns, in
// order, at a cost that depends on those people alone and not on who else is connected.
package inbox

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

const storeKey = "doubletap.inbox"

// Inbox knows the connected devices of one app: whose they are, and what they listen to.
//
// All collections of ours belong to it alone, and PocketBase's broadcast serves owners'. Of notifications, settings and
// feed each row is one person's, is written by SQL, and no filter is applied. Who hears of any other row is worked out
// after the writer's answer, see Written; of a post that is watched also its counts are told, and the delete when it
// goes out of sight.
//
// With several nodes, the arguments of tell, touch, recheck, recheckAuthor, recheckPerson
// and Drop are what they would have to send each other.
type Inbox struct {
	// OnDelivered, unless nil, is told of each notification written to a device, by the goroutine that wrote it.
	// Devices that PocketBase serves are not reported. Set it before the app serves.
	OnDelivered func(DeviceDelivery)

	// EnrichmentKeys, unless nil, returns for each of some users who see the record a key: those with equal keys are shown the
	// same, but for what they expand. It reports false when that is not known. Set it before the app serves.
	EnrichmentKeys func(record *core.Record, users []string) (keys map[string]string, known bool, err error)

	app               core.App
	personQueue       *workQueue          // of what concerns one person
	broadcastQueue    *workQueue          // of what may concern everybody: one after the other, so that each device hears in order
	workByDevice      map[*device]float64 // how much was done for each since the crowd's desk was last empty; its worker's alone
	maxBacklog        int                 // errands that may wait there before those for whom most is done are disconnected; likewise
	openConns         sync.WaitGroup      // not closed yet; added to with mu, while the inbox is open
	countsInterval    time.Duration       // between two counts of one post
	writeTimeout      time.Duration       // with a device that does not take what is written to it
	checkInterval     time.Duration       // between two looks whether connections have lasted long enough, or were silent for too long
	heartbeatInterval time.Duration       // of silence, after which a device is sent a heartbeat

	descriptors  descriptorBudget
	waitingBytes atomic.Int64 // bytes that wait for all devices

	mu             sync.Mutex // guards all below, and every seat's seen
	devices        map[*device]*subscription
	deviceByID     map[string]*device         // by their own id, those that PocketBase does not serve
	people         map[string]subscriptionSet // by user id
	superusers     subscriptionSet            // of superusers, who hear of everybody
	idleWatcher    *idleWatcher               // from the first line on
	watchedPosts   map[string]*watchedPost
	rowSubscribers map[rowKey]subscriptionSet // of topics that are not personal
	stopHeartbeats chan struct{}              // closed to end the heartbeats, nil before the first device
	closed         bool
}

// DeviceDelivery is a notification's way to one of its recipient's devices; a superuser's counts as such.
type DeviceDelivery struct {
	Person      string
	Seq         int64
	CommittedAt time.Time // or earlier, when several changes went together
	WrittenAt   time.Time // to the socket
}

// ForApp returns the app's inbox, which is made at the first call. That must not be inside a
// transaction, since the inbox reads the database after it.
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
			workByDevice:   map[*device]float64{},
			maxBacklog:     crowdedBacklog,
		}
		in.personQueue = newWorkQueue(personWorkers, in.handleUpdate)
		in.broadcastQueue = newWorkQueue(1, in.handleUpdate)
		return in
	}).(*Inbox)
}

// existingInbox returns the app's inbox or nil: where none was made, nobody is connected.
func existingInbox(app core.App) *Inbox {
	in, _ := app.Store().Get(storeKey).(*Inbox)
	return in
}

// ConnectedCount returns how many people are signed in on how many connected devices; the
// latter include guests.
func (in *Inbox) ConnectedCount() (people, devices int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.people), len(in.devices)
}

// IsOnline reports whether one of the person's devices listens right now.
func (in *Inbox) IsOnline(person string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.people[person]) > 0
}

// DisconnectPerson disconnects all devices of a person at once. What they were not sent yet, they never get.
func (in *Inbox) DisconnectPerson(person string) {
	in.mu.Lock()
	var theirs []*device
	for s := range in.people[person] {
		theirs = append(theirs, s.device)
	}
	in.mu.Unlock()
	for _, d := range theirs {
		in.removeDevice(d)
	}
}

// Close disconnects every device, lets no other connect, and waits for what is being sent.
func (in *Inbox) Close() {
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
}
