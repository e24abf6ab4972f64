package hooks

import (
	"crypto/subtle"
	"net"
	"net/http"
	"os"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/metrics"
)

func (s *Social) bindMetrics() {
	figures := metrics.ForApp(s.app)
	s.inbox.OnDelivered = func(d inbox.DeviceDelivery) { figures.ObserveDelivery(d.WrittenAt.Sub(d.CommittedAt)) }
	figures.AddGauge("doubletap_writes_waiting", "Writes that wait for the next transaction.", func() float64 { return float64(s.writer.WaitingCount()) })
	figures.AddGauge("doubletap_devices", "Devices that are connected for realtime.", func() float64 {
		_, devices := s.inbox.ConnectedCount()
		return float64(devices)
	})
	s.routes = append(s.routes, route{
		method: "GET", path: "/metrics", contentType: "text/plain", errorStatuses: []int{401}, skipsLog: true,
		summary: "Figures for Prometheus, with the token of DOUBLETAP_METRICS_TOKEN; without one in development, for who asks from the machine itself.",
		handle: func(e *core.RequestEvent) error {
			if !mayReadMetrics(e.App, e.Request) {
				return fault.Unauthorized()
			}
			figures.Handler().ServeHTTP(e.Response, e.Request)
			return nil
		},
	})
}

// mayReadMetrics reports whether a request has the token of DOUBLETAP_METRICS_TOKEN or, if there is none, comes in
// development from this machine itself. Outside of development a proxy on the machine, which need not say for whom it
// asks, would let everybody in.
func mayReadMetrics(app core.App, r *http.Request) bool {
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
