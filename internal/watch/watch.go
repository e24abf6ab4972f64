// Package watch measures what the service does, for those who run it: how long a like and a page take on their way, and
// which path they take.
package watch

import (
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/prometheus/client_golang/prometheus" // the exposition format and histograms
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The paths that a request may take.
const (
	Fast    = "fast"
	General = "general"
)

// Watch holds the figures of one app.
type Watch struct {
	registry  *prometheus.Registry
	answered  *prometheus.HistogramVec
	read      *prometheus.HistogramVec
	delivered prometheus.Histogram
	repaired  *prometheus.CounterVec
}

const storeKey = "doubletap.watch"

// Of returns the app's figures, which are made at the first call.
func Of(app core.App) *Watch {
	return app.Store().GetOrSet(storeKey, func() any { return newWatch() }).(*Watch)
}

func newWatch() *Watch {
	// 0.1 ms doubled up to 6.5 s: a like takes about one, a person waits for seconds at most
	buckets := prometheus.ExponentialBuckets(0.0001, 2, 17)
	w := &Watch{
		registry: prometheus.NewRegistry(),
		answered: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "doubletap_like_seconds", Buckets: buckets,
			Help: "From the request of a like (POST) or unlike (DELETE) to its answer, when all of it is committed, by the path that it took.",
		}, []string{"method", "path"}),
		read: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "doubletap_read_seconds", Buckets: buckets,
			Help: "From the request of a page of the feed, of notifications or of somebody's posts, or of a post, to its answer, by the path that it took.",
		}, []string{"collection", "path"}),
		delivered: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doubletap_delivery_seconds", Buckets: buckets,
			Help: "From the commit of a notification to its first device's socket.",
		}),
		repaired: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doubletap_repairs_total",
			Help: "What reconciliation found wrong and put right, by check. Expected is 0: else somebody wrote past the service, or the service is wrong.",
		}, []string{"check"}),
	}
	w.registry.MustRegister(w.answered, w.read, w.delivered, w.repaired,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return w
}

// Answered counts a like (POST) or unlike (DELETE) that took a path and d until its answer.
func (w *Watch) Answered(method, path string, d time.Duration) {
	w.answered.WithLabelValues(method, path).Observe(d.Seconds())
}

// Read counts a page of a collection, or a record, that took a path and d until its answer.
func (w *Watch) Read(collection, path string, d time.Duration) {
	w.read.WithLabelValues(collection, path).Observe(d.Seconds())
}

// Delivered counts a notification that was at a socket d after its commit.
func (w *Watch) Delivered(d time.Duration) { w.delivered.Observe(d.Seconds()) }

// Repaired counts n things that the check found wrong and put right; 0 makes the check known.
func (w *Watch) Repaired(check string, n int) { w.repaired.WithLabelValues(check).Add(float64(n)) }

// Gauge adds a figure that is asked for when it is read.
func (w *Watch) Gauge(name, help string, value func() float64) {
	w.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Handler serves the figures in Prometheus' text format.
func (w *Watch) Handler() http.Handler {
	return promhttp.HandlerFor(w.registry, promhttp.HandlerOpts{})
}
