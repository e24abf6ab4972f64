package photo

import (
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestMemory renders photos in a fresh process each and checks the most memory that the process had.
func TestMemory(t *testing.T) {
	if path := os.Getenv("PHOTO_TO_RENDER"); path != "" {
		renderAlone(t, path)
		return
	}
	if runtime.GOOS != "linux" || testing.Short() || testenv.Race {
		t.Skip("needs /proc, seconds, and nobody who watches")
	}
	m := phototest.DrawScene(2000, 1500)
	deep := image.NewNRGBA64(m.Rect)
	for i := range deep.Pix {
		deep.Pix[i] = m.Y[i/8]
	}
	progressive := phototest.JPEGShape{Sampling: [][2]int{{2, 2}, {1, 1}, {1, 1}}, Adobe: -1, Progressive: true}
	for name, c := range map[string]struct {
		src         []byte
		peak, alloc uint64 // MB above idle, and MB allocated in all; if 0, the limits are CostOfInfo and none
	}{
		"12 MP":             {phonePhoto(12), 120, 45},
		"48 MP":             {phonePhoto(48), 120, 45},
		"progressive, 3 MP": {progressive.Encode(2000, 1500, phototest.SamplesOf(m)), 0, 0},
		"16-bit PNG, 3 MP":  {phototest.TaggedPNG(deep, 1, ""), 0, 0},
		"GIF, 3 MP":         {phototest.TaggedGIF(m, 1), 0, 0},
		"alpha PNG, 3 MP":   {phototest.TaggedPNG(phototest.CutOutDisc(m), 1, ""), 0, 0},
	} {
		if c.peak == 0 {
			cost, err := Renderer{}.CostOfSource(c.src)
			if err != nil {
				t.Fatal(err)
			}
			c.peak, c.alloc = uint64(cost>>20), math.MaxUint64
		}
		path := filepath.Join(t.TempDir(), "photo")
		if err := os.WriteFile(path, c.src, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestMemory$", "-test.v")
		cmd.Env = append(os.Environ(), "PHOTO_TO_RENDER="+path)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var peak, alloc uint64
		_, text, _ := strings.Cut(string(out), "figures: ")
		if _, err := fmt.Sscanf(text, "peak %d alloc %d", &peak, &alloc); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("%s: %d MB over idle, %d MB allocated", name, peak, alloc)
		if peak > c.peak || alloc > c.alloc {
			t.Errorf("%s: %d MB over idle and %d MB allocated, want %d and %d", name, peak, alloc, c.peak, c.alloc)
		}
	}
}

func renderAlone(t *testing.T, path string) {
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // forget the peak so far
		t.Skip(err)
	}
	idle := processStatusKB(t, "VmRSS:")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := (Renderer{}).Render(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	fmt.Printf("figures: peak %d alloc %d\n", (processStatusKB(t, "VmHWM:")-idle)>>10, (after.TotalAlloc-before.TotalAlloc)>>20)
}

// processStatusKB returns a line of the process's status, in kB.
func processStatusKB(t *testing.T, name string) (kb uint64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), name)
	fmt.Sscan(rest, &kb)
	return kb
}
