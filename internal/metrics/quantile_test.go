package metrics

import (
	"math"
	"testing"
	"time"
)

func TestLatencies(t *testing.T) {
	w := newRegistry()
	if likes, deliveries, err := w.Latencies(); err != nil || likes != (Latency{}) || deliveries != (Latency{}) {
		t.Fatalf("of nothing: %v %v %v", likes, deliveries, err)
	}
	for i := range 100 { // over both paths
		w.ObserveLike("POST", []string{FastPath, GeneralPath}[i%2], time.Duration(1+i/98*999)*time.Millisecond)
	}
	w.ObserveDelivery(time.Hour)
	likes, deliveries, err := w.Latencies()
	if err != nil {
		t.Fatal(err)
	}
	if likes.Count != 100 || math.Abs(likes.P50-0.0012) > 0.0005 || likes.P99 < 0.8 || likes.P99 > 1.7 {
		t.Errorf("likes: %+v", likes)
	}
	if deliveries.Count != 1 || deliveries.P50 < 6 || math.IsInf(deliveries.P50, 0) {
		t.Errorf("deliveries: %+v", deliveries)
	}
}
