package inbox

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// A device is in PocketBase's broker only while it listens to something that is not ours: the broadcast looks at each
// client there for each write, before the writer is answered. So we do here what PocketBase does for its clients: it
// finds a device by its id, and keeps its account fresh.

// Introduce lets PocketBase find the device that a subscribe call is about. Bind it to the router, for POST /api/realtime.
func (in *Inbox) Introduce(e *core.RequestEvent) error {
	var form struct {
		ClientID string `json:"clientId" form:"clientId"`
	}
	if err := e.BindBody(&form); err != nil {
		return e.Next() // and says so
	}
	in.mu.Lock()
	d := in.lineOf[form.ClientID]
	in.mu.Unlock()
	if d == nil {
		return e.Next()
	}
	d.introduced.Lock()
	defer d.introduced.Unlock()
	in.app.SubscriptionsBroker().Register(d)
	defer in.withdraw(d)
	return e.Next()
}

// withdraw takes a device out of the broker unless PocketBase has something to tell it.
func (in *Inbox) withdraw(d *device) {
	if d.elsewhere.Load() && !d.IsDiscarded() {
		return
	}
	d.withdrawing.Store(true) // the broker discards whom it forgets
	in.app.SubscriptionsBroker().Unregister(d.Id())
	d.withdrawing.Store(false)
}

// accountWritten gives the devices that are signed in with an account its new state, and signs them out when it is
// deleted or its tokens have died. PocketBase does so for those in its broker.
func (in *Inbox) accountWritten(action string, account *core.Record) {
	fresh := account.Fresh()
	for _, d := range in.signedIn(account) {
		auth := d.auth()
		switch {
		case viewer(auth) != viewer(fresh):
		case action == "delete" || auth.TokenKey() != fresh.TokenKey():
			d.Unset(apis.RealtimeClientAuthKey)
		default:
			d.Set(apis.RealtimeClientAuthKey, fresh)
		}
	}
}

// signedIn returns the devices that may be signed in with an account.
func (in *Inbox) signedIn(account *core.Record) (devices []*device) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case account.Collection().Name == "users":
		for s := range in.people[account.Id] {
			devices = append(devices, s.device)
		}
	case account.IsSuperuser():
		for s := range in.supers {
			devices = append(devices, s.device)
		}
	default: // an owner's
		for d := range in.devices {
			devices = append(devices, d)
		}
	}
	return devices
}

// SignOut signs out all devices of an auth collection: its secret was changed, or it was deleted.
func (in *Inbox) SignOut(c *core.Collection) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for d := range in.devices {
		if auth := d.auth(); auth != nil && auth.Collection().Id == c.Id {
			d.Unset(apis.RealtimeClientAuthKey)
		}
	}
}
