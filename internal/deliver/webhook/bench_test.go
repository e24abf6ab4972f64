package webhook

import (
	"testing"

	"doubletap/internal/deliver/delivertest"
	"doubletap/internal/job"
)

// BenchmarkEmitWithoutWebhooks is what every like pays.
func BenchmarkEmitWithoutWebhooks(b *testing.B) {
	app := delivertest.App(b)
	w := Open(app, job.NewRunner(app))
	must(b, w.Load())
	b.ReportAllocs()
	for b.Loop() {
		must(b, Emit(app, "like.created", nil))
	}
}
