// Package setup tells what an operator has not set yet, and what applies until then.
package setup

import (
	"net"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// The values that PocketBase's settings have before anybody has changed them.
const (
	shippedURL    = "http://localhost:8090"
	shippedSender = "support@example.com"
)

// The keys under which an app's store holds the address that it listens on, and whether the application URL in memory
// is that address because none is stored. An operator may have stored the same address.
const (
	listenURLKey = "doubletap.listening"
	followingKey = "doubletap.following"
)

// SetListenURL stores the address under which the app can be reached. The application URL of its settings follows that
// address until an operator sets one.
func SetListenURL(app core.App, url string) {
	UnfollowListenURL(app, app.Settings())
	app.Store().Set(listenURLKey, url)
	FollowListenURL(app)
}

// FollowListenURL sets the application URL, just read from the database, to what Go code and PocketBase's templates
// should see: the listen URL if none is stored, and never with a slash at its end, as templates add one.
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

// UnfollowListenURL puts back the shipped application URL into settings that are about to be stored, if it only follows
// the listen URL, so that it continues to follow. It returns how to undo that for settings that stay in use.
func UnfollowListenURL(app core.App, settings *core.Settings) (undo func()) {
	url := storedListenURL(app)
	if !isFollowing(app) || strings.TrimRight(settings.Meta.AppURL, "/") != url {
		return func() {}
	}
	settings.Meta.AppURL = shippedURL
	return func() { settings.Meta.AppURL = url }
}

// ListenURL returns the address that SetListenURL has stored, or an empty text before.
func ListenURL(app core.App) string { return storedListenURL(app) }

func storedListenURL(app core.App) string {
	url, _ := app.Store().Get(listenURLKey).(string)
	return url
}

func isFollowing(app core.App) bool {
	unset, _ := app.Store().Get(followingKey).(bool)
	return unset
}

// ReachableURL returns the URL of a server that listens on addr, such as "0.0.0.0:80". If there are domains, it has the
// first of them. A server that listens on all addresses of the machine has 127.0.0.1.
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
