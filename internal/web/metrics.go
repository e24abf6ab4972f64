package web

import (
	"crypto/subtle"
	"net"
	"net/http"
	"os"

	"github.com/pocketbase/pocketbase/core"
)

// MayReadMetrics reports whether a request has the token of DOUBLETAP_METRICS_TOKEN or, if there is none, comes in
// development from this machine itself. Outside of development a proxy on the machine, which need not say for whom it
// asks, would let everybody in.
func MayReadMetrics(app core.App, r *http.Request) bool {
	if token := os.Getenv("DOUBLETAP_METRICS_TOKEN"); token != "" {
		return subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) == 1
	}
	if !app.IsDev() && os.Getenv("DOUBLETAP_MODE") != "development" {
		return false
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false // by a proxy on this machine, for somebody else
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}
