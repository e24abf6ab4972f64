package inbox

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// A device is in PocketBase's broker only while it listens to something that is not ours: the broadcast looks at each
// client in the broker for each write, before the writer has its answer. So this file does what PocketBase does for
// its own clients: it finds a device by its id, and keeps its account fresh.

// RegisterDevice lets PocketBase find the device that a subscribe call is about. Bind it to the router, for POST
// /api/realtime.
func (in *Inbox) RegisterDevice(e *core.RequestEvent) error {
	var form struct {
		ClientID string `json:"clientId" form:"clientId"`
	}
	if err := e.BindBody(&form); err != nil {
		return e.Next() // which reports the error
	}
	in.mu.Lock()
	d := in.deviceByID[form.ClientID]
	in.mu.Unlock()
	if d == nil {
		return e.Next()
	}
	d.registering.Lock()
	defer d.registering.Unlock()
	in.app.SubscriptionsBroker().Register(d)
	defer in.unregisterDevice(d)
	return e.Next()
}

// unregisterDevice takes a device out of the broker unless it has topics that PocketBase serves.
func (in *Inbox) unregisterDevice(d *device) {
	if d.hasOwnersTopics.Load() && !d.IsDiscarded() {
		return
	}
	d.unregistering.Store(true) // so that Discard, which the broker calls, does nothing
	in.app.SubscriptionsBroker().Unregister(d.Id())
	d.unregistering.Store(false)
}

// accountWritten gives the devices that are signed in with an account its new state. It signs them out when the
// account is deleted or its tokens have died. PocketBase does so for the devices in its broker.
func (in *Inbox) accountWritten(action string, account *core.Record) {
	fresh := account.Fresh()
	for _, d := range in.devicesSignedIn(account) {
		auth := d.signedInAs()
		switch {
		case viewerKey(auth) != viewerKey(fresh):
		case action == "delete" || auth.TokenKey() != fresh.TokenKey():
			d.Unset(apis.RealtimeClientAuthKey)
		default:
			d.Set(apis.RealtimeClientAuthKey, fresh)
		}
	}
}

// devicesSignedIn returns the devices that may be signed in with an account; more than those are possible.
func (in *Inbox) devicesSignedIn(account *core.Record) (devices []*device) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case account.Collection().Name == "users":
		for s := range in.people[account.Id] {
			devices = append(devices, s.device)
		}
	case account.IsSuperuser():
		for s := range in.superusers {
			devices = append(devices, s.device)
		}
	default: // an account of an owner's auth collection
		for d := range in.devices {
			devices = append(devices, d)
		}
	}
	return devices
}

// SignOutCollection signs out all devices of an auth collection whose secret was changed or that was deleted.
func (in *Inbox) SignOutCollection(c *core.Collection) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for d := range in.devices {
		if auth := d.signedInAs(); auth != nil && auth.Collection().Id == c.Id {
			d.Unset(apis.RealtimeClientAuthKey)
		}
	}
}
