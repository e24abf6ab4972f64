package webhook

import (
	"testing"

	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/job"
)

// BenchmarkEmitWithoutWebhooks measures what every like pays.
func BenchmarkEmitWithoutWebhooks(b *testing.B) {
	app := delivertest.NewApp(b)
	w := Register(app, job.NewRunner(app))
	must(b, w.LoadHandlers())
	b.ReportAllocs()
	for b.Loop() {
		must(b, EmitEvent(app, "like.created", nil))
	}
}
