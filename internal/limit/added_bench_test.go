package limit

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// BenchmarkTakeAdded is what a like pays for its limit once its person's cell is loaded.
func BenchmarkTakeAdded(b *testing.B) {
	b.Setenv(EnvVariable, "likes=1000000000/1h")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir()})
	claim, _ := ForApp(app).ForAdded("likes", "person000000000")
	ForApp(app).Take(claim)
	b.ReportAllocs()
	for b.Loop() {
		limits := ForApp(app)
		claim, _ := limits.ForAdded("likes", "person000000000")
		if err := limits.LoadAdded(app, "likes", "person000000000"); err != nil {
			b.Fatal(err)
		}
		if err := limits.Take(claim).Error(); err != nil {
			b.Fatal(err)
		}
	}
}
