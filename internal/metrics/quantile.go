package metrics

import (
	"fmt"
	"math"
)

// Latency is how long something took, in seconds: half of all took no longer than P50, and one in a hundred longer
// than P99. Both are estimated from buckets that double, so they may be wrong by as much.
type Latency struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
}

// Latencies returns what was measured since the start: of likes, from request to answer, and of notifications, from
// their commit to a socket.
func (w *Registry) Latencies() (likes, deliveries Latency, err error) {
	if likes, err = w.latencyOf("doubletap_like_seconds"); err != nil {
		return likes, deliveries, err
	}
	deliveries, err = w.latencyOf("doubletap_delivery_seconds")
	return likes, deliveries, err
}

// latencyOf adds up the histograms of one name.
func (w *Registry) latencyOf(name string) (Latency, error) {
	families, err := w.registry.Gather()
	if err != nil {
		return Latency{}, fmt.Errorf("gather the figures: %w", err)
	}
	var bounds, counts []float64 // of each bucket: its upper bound, and how many measurements are below that
	total := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			histogram := metric.GetHistogram()
			total += float64(histogram.GetSampleCount())
			for i, bucket := range histogram.GetBucket() {
				if i == len(bounds) {
					bounds, counts = append(bounds, bucket.GetUpperBound()), append(counts, 0)
				}
				counts[i] += float64(bucket.GetCumulativeCount())
			}
		}
	}
	return Latency{uint64(total), quantile(0.5, total, bounds, counts), quantile(0.99, total, bounds, counts)}, nil
}

// quantile interpolates within the bucket that contains the quantile, as Prometheus does; beyond the last bound, it
// returns that bound.
func quantile(q, total float64, bounds, counts []float64) float64 {
	if total == 0 {
		return 0
	}
	rank, low, below := q*total, 0.0, 0.0
	for i, bound := range bounds {
		if math.IsInf(bound, 1) {
			break
		}
		if counts[i] >= rank {
			return low + (bound-low)*(rank-below)/(counts[i]-below)
		}
		low, below = bound, counts[i]
	}
	return low
}
