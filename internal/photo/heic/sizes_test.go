package heic

import (
	"fmt"
	"image"
	"testing"

	. "github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestEverySize decodes pictures of every width and height up to 70, cut out of a larger one in every way in which a
// file can give a size, and compares them with the samples of the larger one.
func TestEverySize(t *testing.T) {
	d := sharedDecoder
	file := func(it HEIFItem, properties ...string) HEIF {
		it.Properties = append(it.Properties[:len(it.Properties):len(it.Properties)], properties...)
		return HEIF{Items: []HEIFItem{it}}
	}
	tile := CodedItem(Fixture("phone.heic"), nil) // of 96 x 128, in 4:2:0
	window := func(w, h int) HEIFItem {
		return CodedItem(Fixture("phone.heic"), func(b *ParameterSet) { b.SetWindow(w, h) })
	}
	whole, err := d.Decode(t.Context(), file(tile).Encode())
	if err != nil {
		t.Fatal(err)
	}
	ways := map[string]func(w, h int) (HEIF, bool){
		"cropped": func(w, h int) (HEIF, bool) { return file(tile, CropProperty(w, h, w-96, h-128)), true },
		"of an extent": func(w, h int) (HEIF, bool) {
			return HEIF{Items: []HEIFItem{{Kind: tile.Kind, Data: tile.Data, Properties: []string{tile.Properties[0], ExtentProperty(w, h)}}}}, true
		},
		"a grid of one": func(w, h int) (HEIF, bool) {
			return HEIF{Items: []HEIFItem{GridItem(1, 1, w, h, 2), tile}}, true
		},
		"a grid": func(w, h int) (HEIF, bool) {
			// All tiles, of 48 x 64, show the same place, so only the first is compared.
			small := window(48, 64)
			return HEIF{Items: []HEIFItem{GridItem(2, 2, w, h, 2, 2, 2, 2), small}}, true
		},
		"coded so": func(w, h int) (HEIF, bool) {
			if w%2+h%2 > 0 {
				return HEIF{}, false // 4:2:0 has no such size
			}
			return file(window(w, h)), true
		},
	}
	at := func(m image.Image, x, y int) string { return fmt.Sprint(m.At(x, y)) }
	for name, way := range ways {
		for w := 1; w <= 70; w++ {
			for h := 1; h <= 70; h++ {
				if w != h && w+h != 71 { // of the 4,900 sizes, these have every width, every height and all remainders
					continue
				}
				if (testenv.Race || testing.Short()) && w%7 != 1 {
					continue
				}
				f, possible := way(w, h)
				if !possible {
					continue
				}
				m, err := d.Decode(t.Context(), f.Encode())
				if err != nil {
					t.Fatalf("%s, %d x %d: %v", name, w, h, err)
				}
				if m.Bounds() != image.Rect(0, 0, w, h) {
					t.Fatalf("%s, %d x %d: got %v", name, w, h, m.Bounds())
				}
				x, y := w-1, h-1
				if name == "a grid" {
					x, y = min(x, 47), min(y, 63)
				}
				if at(m, x, y) != at(whole, x, y) || at(m, 0, 0) != at(whole, 0, 0) {
					t.Fatalf("%s, %d x %d: another picture", name, w, h)
				}
			}
		}
	}
}
