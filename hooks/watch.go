package hooks

import (
	"crypto/subtle"
	"net"
	"net/http"
	"os"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/fault"
	"doubletap/internal/inbox"
	"doubletap/internal/watch"
)

func (s *Social) bindWatch() {
	figures := watch.Of(s.app)
	s.inbox.Delivered = func(d inbox.Delivery) { figures.Delivered(d.Written.Sub(d.Committed)) }
	figures.Gauge("doubletap_writes_waiting", "Writes that wait for the next transaction.", func() float64 { return float64(s.writer.Waiting()) })
	figures.Gauge("doubletap_devices", "Devices that are connected for realtime.", func() float64 {
		_, devices := s.inbox.Connected()
		return float64(devices)
	})
	s.routes = append(s.routes, route{
		method: "GET", path: "/metrics", content: "text/plain", refuses: []int{401}, quiet: true,
		summary: "Figures for Prometheus, with the token of DOUBLETAP_METRICS_TOKEN; without one in development, for who asks from the machine itself.",
		do: func(e *core.RequestEvent) error {
			if !mayWatch(e.App, e.Request) {
				return fault.Unauthorized()
			}
			figures.Handler().ServeHTTP(e.Response, e.Request)
			return nil
		},
	})
}

// mayWatch lets in who has the token of DOUBLETAP_METRICS_TOKEN, and without one, in development, who asks from this
// machine itself. Elsewhere a proxy on the machine, which need not say for whom it asks, would let everybody in.
func mayWatch(app core.App, r *http.Request) bool {
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
