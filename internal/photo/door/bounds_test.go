package door

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/phototest"
)

// A row of millions of pixels is few pixels, but gigabytes of whatever is made by rows.
func TestNoSideIsLongerThanAJPEGs(t *testing.T) {
	for _, c := range []struct {
		w, h int
		want error
	}{{65535, 1, nil}, {1, 65535, nil}, {65536, 1, ErrPixels}, {1, 65536, ErrPixels}, {2_000_000, 1, ErrPixels}} {
		src := phototest.EncodeRawPNG(c.w, c.h, 1, 0, false, "", func(int, int, int) int { return 1 })
		if _, err := Inspect(src, Standard); !errors.Is(err, c.want) {
			t.Errorf("%d x %d: %v, want %v", c.w, c.h, err, c.want)
		}
	}
}

// 64 KiB of zeros take 80 bytes in a PNG, and a PNG can have half a million such texts.
func TestOfAPNGsDescriptionsOneIsInflated(t *testing.T) {
	text := phototest.PNGChunk("iTXt", pngXMPHead+"\x01\x00\x00\x00"+phototest.Deflate(strings.NewReader(strings.Repeat("\x00", 1<<16))))
	src := phototest.EncodeRawPNG(1, 1, 8, 0, false, strings.Repeat(text, 1000), func(int, int, int) int { return 1 })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Inspect(src, Standard); err != nil {
		t.Fatal(err)
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 8<<20 {
		t.Errorf("opening a PNG of %d kB takes %d MB", len(src)>>10, (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}
