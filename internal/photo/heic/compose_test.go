package heic

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestPartsShareTheirMemory puts pictures together from many parts: each is given back before the next is decoded, as the bound on
// memory counts on, so that no more is allocated than the canvas and a few parts.
func TestPartsShareTheirMemory(t *testing.T) {
	testenv.SkipSequential(t)
	tile := phototest.CodedItem(phototest.Fixture("tiles.heic"), nil) // 512 x 512
	const count, size = 32, 512 * 512 * 3 / 2
	parts, places := make([]int, count), make([]int, 0, 2*count)
	for i := range parts {
		parts[i] = 2
		places = append(places, i%2*512, 0)
	}
	for name, c := range map[string]struct {
		item   phototest.HEIFItem
		canvas uint64
	}{
		"a grid":     {phototest.GridItem(4, 8, 4096, 2048, parts...), 4096 * 2048 * 3 / 2},
		"an overlay": {phototest.OverlayItem(1024, 512, [4]uint16{}, places, parts...), 1024 * 512 * 3},
	} {
		src := phototest.HEIF{Items: []phototest.HEIFItem{c.item, tile}}.Encode()
		if _, err := sharedDecoder.Decode(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		percent := debug.SetGCPercent(-1) // which empties the pool
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := sharedDecoder.Decode(t.Context(), src)
		runtime.ReadMemStats(&after)
		debug.SetGCPercent(percent)
		if taken := after.TotalAlloc - before.TotalAlloc; err != nil || taken > c.canvas*5/4+count*size*3/4 {
			t.Errorf("%s of %d parts: %d bytes, of which the canvas is %d and the parts %d, %v", name, count, taken, c.canvas, count*size, err)
		}
	}
}
