// Package metrics measures what the service does, for those who run it: how long a like and a page take, and which path
// they take.
package metrics

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
	FastPath    = "fast"
	GeneralPath = "general"
)

// Registry holds the figures of one app.
type Registry struct {
	registry        *prometheus.Registry
	likeSeconds     *prometheus.HistogramVec
	readSeconds     *prometheus.HistogramVec
	deliverySeconds prometheus.Histogram
	repairsTotal    *prometheus.CounterVec
	skipsTotal      *prometheus.CounterVec
	limitedTotal    *prometheus.CounterVec
}

const storeKey = "doubletap.watch"

// ForApp returns the app's figures, which are made at the first call.
func ForApp(app core.App) *Registry {
	return app.Store().GetOrSet(storeKey, func() any { return newRegistry() }).(*Registry)
}

func newRegistry() *Registry {
	// 0.1 ms doubled up to 6.5 s: a like takes about 1 ms, a person waits for seconds at most
	buckets := prometheus.ExponentialBuckets(0.0001, 2, 17)
	w := &Registry{
		registry: prometheus.NewRegistry(),
		likeSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "doubletap_like_seconds", Buckets: buckets,
			Help: "From the request of a like (POST) or unlike (DELETE) to its answer, when all of it is committed, by the path that it took.",
		}, []string{"method", "path"}),
		readSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "doubletap_read_seconds", Buckets: buckets,
			Help: "From the request of a page of the feed, of notifications or of somebody's posts, or of a post, to its answer, by the path that it took.",
		}, []string{"collection", "path"}),
		deliverySeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doubletap_delivery_seconds", Buckets: buckets,
			Help: "From the commit of a notification to its first device's socket.",
		}),
		repairsTotal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doubletap_repairs_total",
			Help: "What reconciliation found wrong and put right, by check. Expected is 0: else somebody wrote past the service, or the service is wrong.",
		}, []string{"check"}),
	}
	w.skipsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "doubletap_fast_path_skips_total",
		Help: "Likes, unlikes and reads that the fast path knows and that took the general path, by the reason.",
	}, []string{"request", "reason"})
	w.limitedTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "doubletap_limited_total", Help: "Requests that were too many and answered 429, by the limit.",
	}, []string{"limit"})
	w.registry.MustRegister(w.likeSeconds, w.readSeconds, w.deliverySeconds, w.repairsTotal, w.skipsTotal, w.limitedTotal,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return w
}

// ObserveLike counts a like (POST) or unlike (DELETE) that took this path, and d until its answer.
func (w *Registry) ObserveLike(method, path string, d time.Duration) {
	w.likeSeconds.WithLabelValues(method, path).Observe(d.Seconds())
}

// ObserveRead counts a page of a collection, or a record, that took this path, and d until its answer.
func (w *Registry) ObserveRead(collection, path string, d time.Duration) {
	w.readSeconds.WithLabelValues(collection, path).Observe(d.Seconds())
}

// CountSkip counts a request that the fast path knows and that took the general path, and why.
func (w *Registry) CountSkip(request, reason string) {
	w.skipsTotal.WithLabelValues(request, reason).Inc()
}

// CountLimited counts a request that a limit refused.
func (w *Registry) CountLimited(limit string) { w.limitedTotal.WithLabelValues(limit).Inc() }

// ObserveDelivery counts a notification that was written to a socket d after its commit.
func (w *Registry) ObserveDelivery(d time.Duration) { w.deliverySeconds.Observe(d.Seconds()) }

// CountRepairs counts n things that the check found wrong and repaired; with 0 the check appears among the figures.
func (w *Registry) CountRepairs(check string, n int) {
	w.repairsTotal.WithLabelValues(check).Add(float64(n))
}

// AddGauge adds a figure whose value is called for whenever the figures are read.
func (w *Registry) AddGauge(name, help string, value func() float64) {
	w.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Handler serves the figures in Prometheus' text format.
func (w *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(w.registry, promhttp.HandlerOpts{})
}
