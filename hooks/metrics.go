package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/metrics"
	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindMetrics() {
	figures := metrics.ForApp(s.app)
	s.inbox.OnDelivered = func(d inbox.DeviceDelivery) { figures.ObserveDelivery(d.WrittenAt.Sub(d.CommittedAt)) }
	figures.AddGauge("doubletap_writes_waiting", "Writes that wait for the next transaction.", func() float64 { return float64(s.writer.WaitingCount()) })
	figures.AddGauge("doubletap_devices", "Devices that are connected for realtime.", func() float64 {
		_, devices := s.inbox.ConnectedCount()
		return float64(devices)
	})
	s.routes = append(s.routes, web.Route{
		Method: "GET", Path: "/metrics", ContentType: "text/plain", ErrorStatuses: []int{401}, SkipsLog: true,
		Summary: "Figures for Prometheus, with the token of DOUBLETAP_METRICS_TOKEN; without one in development, for who asks from the machine itself.",
		Handle: func(e *core.RequestEvent) error {
			if !web.MayReadMetrics(e.App, e.Request) {
				return fault.Unauthorized()
			}
			figures.Handler().ServeHTTP(e.Response, e.Request)
			return nil
		},
	})
}
