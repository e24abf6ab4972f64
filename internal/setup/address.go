// Package setup knows what an operator has not set yet, and what holds until then.
package setup

import (
	"net"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// What PocketBase's settings say before anybody has changed them.
const (
	shippedURL    = "http://localhost:8090"
	shippedSender = "support@example.com"
)

// Where an app's store keeps the address that it listens on, and whether the application URL in memory is that one because none
// is stored. An operator may have stored the same.
const (
	listenURLKey = "doubletap.listening"
	followingKey = "doubletap.following"
)

// SetListenURL notes the address under which an app that listens can be reached, which the application URL of its settings follows
// until the operator has set one.
func SetListenURL(app core.App, url string) {
	UnfollowListenURL(app, app.Settings())
	app.Store().Set(listenURLKey, url)
	FollowListenURL(app)
}

// FollowListenURL makes the application URL, as it was just read from the database, what Go code and PocketBase's templates should see: the
// address that the app listens on where none was set, and never with a slash at its end, which templates put behind it.
func FollowListenURL(app core.App) {
	meta := &app.Settings().Meta
	meta.AppURL = strings.TrimRight(meta.AppURL, "/")
	url := storedListenURL(app)
	unset := url != "" && meta.AppURL == shippedURL
	app.Store().Set(followingKey, unset)
	if unset {
		meta.AppURL = url
	}
}

// UnfollowListenURL puts back, in settings about to be stored, the application URL that nobody has set, so that it goes on following. It
// returns how to undo that for settings which stay in use.
func UnfollowListenURL(app core.App, settings *core.Settings) (undo func()) {
	url := storedListenURL(app)
	if !isFollowing(app) || strings.TrimRight(settings.Meta.AppURL, "/") != url {
		return func() {}
	}
	settings.Meta.AppURL = shippedURL
	return func() { settings.Meta.AppURL = url }
}

// ListenURL returns where the server listens, as Listens has noted it; nothing before.
func ListenURL(app core.App) string { return storedListenURL(app) }

func storedListenURL(app core.App) string {
	url, _ := app.Store().Get(listenURLKey).(string)
	return url
}

func isFollowing(app core.App) bool {
	unset, _ := app.Store().Get(followingKey).(bool)
	return unset
}

// ReachableURL returns the address under which a server can be reached that listens on addr, such as "0.0.0.0:80". One that listens on all addresses of the
// machine is reached under its first domain, if it has any, and else by the machine itself.
func ReachableURL(addr string, tls bool, domains ...string) string {
	scheme, standard := "http", "80"
	if tls {
		scheme, standard = "https", "443"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = addr, standard
	}
	ip := net.ParseIP(host)
	switch {
	case len(domains) > 0:
		host = domains[0]
	case host == "", ip != nil && ip.IsUnspecified():
		host = "127.0.0.1"
	}
	switch port {
	case "", scheme, standard:
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
