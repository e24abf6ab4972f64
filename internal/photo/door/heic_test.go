package door_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/door"
	. "github.com/doubletap/doubletap/internal/photo/phototest"
)

// TestHEIC goes through what a HEIC can be put together from: it is let in only if all its parts can be decoded.
func TestHEIC(t *testing.T) {
	tile := CodedItem(Fixture("tiles.heic"), nil) // 512 x 512
	with := func(it HEIFItem, properties ...string) HEIFItem {
		it.Properties = append(it.Properties[:len(it.Properties):len(it.Properties)], properties...)
		return it
	}
	refers := func(it HEIFItem, kind string, to ...int) HEIFItem {
		it.References = append(it.References[:len(it.References):len(it.References)], HEIFReference{Kind: kind, To: to})
		return it
	}
	kind := func(it HEIFItem, kind string) HEIFItem { it.Kind = kind; return it }
	sized := func(it HEIFItem, w, h int) HEIFItem {
		it.Properties = []string{it.Properties[0], ExtentProperty(w, h)}
		return it
	}
	huge := CodedItem(Fixture("tiles.heic"), nil)
	many := make([]int, 256)
	for i := range many {
		many[i] = 2
	}
	p3 := ProfileProperty(DisplayP3())
	long := with(tile, AlphaProperty())
	long.Data += "\x00\x00\x10\x00"
	for name, c := range map[string]struct {
		file    HEIF
		w, h    int
		profile bool
		want    error
	}{
		"a picture":                      {HEIF{Items: []HEIFItem{with(tile, p3)}}, 512, 512, true, nil},
		"of major brand mif1":            {HEIF{Brands: "mif1heic", Items: []HEIFItem{tile}}, 512, 512, false, nil},
		"of brand mif1 alone":            {HEIF{Brands: "mif1", Items: []HEIFItem{tile}}, 512, 512, false, nil},
		"a sequence with a still":        {HEIF{Brands: "msf1hevcheic", Items: []HEIFItem{tile}}, 512, 512, false, nil},
		"AVIF":                           {HEIF{Brands: "avifmif1", Items: []HEIFItem{tile}}, 0, 0, false, door.ErrKind},
		"parameter sets in the stream":   {HEIF{Items: []HEIFItem{kind(tile, "hev1")}}, 512, 512, false, nil},
		"a grid":                         {HEIF{Items: []HEIFItem{GridItem(2, 1, 500, 900, 2, 2), with(tile, p3)}}, 500, 900, true, nil},
		"a grid, turned":                 {HEIF{Items: []HEIFItem{with(GridItem(2, 1, 500, 900, 2, 2), RotationProperty(1)), tile}}, 900, 500, false, nil},
		"a grid of turned tiles":         {HEIF{Items: []HEIFItem{GridItem(1, 2, 800, 300, 2, 2), with(tile, CropProperty(400, 512, 0, 0), RotationProperty(3), CropProperty(400, 400, 0, 0))}}, 800, 300, false, nil},
		"a grid too small":               {HEIF{Items: []HEIFItem{GridItem(2, 1, 513, 900, 2, 2), tile}}, 0, 0, false, door.ErrBroken},
		"a grid of another count":        {HEIF{Items: []HEIFItem{GridItem(2, 2, 500, 900, 2, 2), tile}}, 0, 0, false, door.ErrBroken},
		"a grid of unlike tiles":         {HEIF{Items: []HEIFItem{GridItem(1, 2, 900, 500, 2, 3), tile, with(tile, CropProperty(500, 512, 0, 0))}}, 0, 0, false, door.ErrBroken},
		"a grid of itself":               {HEIF{Items: []HEIFItem{GridItem(1, 1, 500, 500, 1)}}, 0, 0, false, door.ErrBroken},
		"a grid of AV1":                  {HEIF{Items: []HEIFItem{GridItem(1, 1, 500, 500, 2), kind(tile, "av01")}}, 0, 0, false, door.ErrKind},
		"a grid of 67 MP":                {HEIF{Items: []HEIFItem{GridItem(16, 16, 8192, 8192, many...), tile}}, 0, 0, false, door.ErrPixels},
		"grids of grids":                 {HEIF{Items: []HEIFItem{GridItem(16, 16, 500, 500, many...), GridItem(16, 16, 500, 500, append([]int{3}, many[1:]...)...), tile}}, 0, 0, false, door.ErrBroken},
		"an overlay":                     {HEIF{Items: []HEIFItem{OverlayItem(700, 300, [4]uint16{}, []int{0, 0, 1000, 5}, 2, 2), with(tile, p3)}}, 700, 300, true, nil},
		"an overlay of 256 of a picture": {HEIF{Items: []HEIFItem{OverlayItem(700, 300, [4]uint16{}, make([]int, 512), append(many, many...)...), tile}}, 0, 0, false, door.ErrPixels},
		"overlays of an overlay":         {HEIF{Items: []HEIFItem{OverlayItem(8000, 6000, [4]uint16{}, []int{0, 0}, 2), OverlayItem(8000, 6000, [4]uint16{}, []int{0, 0}, 3), tile}}, 0, 0, false, door.ErrPixels},
		"an identity":                    {HEIF{Items: []HEIFItem{refers(HEIFItem{Kind: "iden"}, "dimg", 2), with(tile, p3, RotationProperty(1))}}, 512, 512, true, nil},
		"a thumbnail as the picture":     {HEIF{Primary: 2, Items: []HEIFItem{tile, refers(with(tile, CropProperty(200, 100, 0, 0)), "thmb", 1)}}, 200, 100, false, nil},
		"alpha":                          {HEIF{Items: []HEIFItem{tile, refers(with(tile, AlphaProperty()), "auxl", 1)}}, 512, 512, false, nil},
		"alpha of AV1":                   {HEIF{Items: []HEIFItem{tile, refers(with(kind(tile, "av01"), AlphaProperty()), "auxl", 1)}}, 0, 0, false, door.ErrKind},
		"alpha that ends too early":      {HEIF{Items: []HEIFItem{tile, refers(long, "auxl", 1)}}, 0, 0, false, door.ErrBroken},
		"alpha of itself":                {HEIF{Items: []HEIFItem{refers(with(tile, AlphaProperty()), "auxl", 1)}}, 0, 0, false, door.ErrBroken},
		"JPEG inside":                    {HEIF{Items: []HEIFItem{kind(tile, "jpeg")}}, 0, 0, false, door.ErrKind},
		"nothing":                        {HEIF{Primary: 9, Items: []HEIFItem{tile}}, 0, 0, false, door.ErrBroken},
		"larger than it is coded":        {HEIF{Items: []HEIFItem{sized(huge, 60000, 60000)}}, 0, 0, false, door.ErrBroken},
		"a crop of nothing":              {HEIF{Items: []HEIFItem{with(tile, CropProperty(10, 10, 4000, 0))}}, 0, 0, false, door.ErrBroken},
		"colours of ICtCp":               {HEIF{Items: []HEIFItem{with(tile, ColorsProperty(9, 16, 14, true))}}, 0, 0, false, door.ErrCoding},
		"RGB with fewer colours":         {HEIF{Items: []HEIFItem{with(tile, ColorsProperty(1, 13, 0, true))}}, 0, 0, false, door.ErrCoding},
	} {
		src := c.file.Encode()
		info, err := door.Inspect(src, door.Standard)
		if !errors.Is(err, c.want) || info.Width != c.w || info.Height != c.h {
			t.Errorf("%s: got %d x %d, %v, want %d x %d, %v", name, info.Width, info.Height, err, c.w, c.h, c.want)
		}
		if p := string(door.ColorProfile(src, info)); err == nil && (p == DisplayP3()) != c.profile {
			t.Errorf("%s: a profile of %d bytes", name, len(p))
		}
	}
	far := door.Limits{Bytes: 1 << 20, Pixels: 100e6, Decoded: 1 << 40}
	src := HEIF{Items: []HEIFItem{GridItem(16, 16, 8192, 8192, many...), with(tile, p3)}}.Encode()
	info, err := door.Inspect(src, far)
	if err != nil || string(door.ColorProfile(src, info)) != DisplayP3() {
		t.Errorf("beyond the standard limits, where the owner's allow it: %v, and a profile of %d bytes", err, len(door.ColorProfile(src, info)))
	}
	film := HEIFBox("ftyp", "msf1", "\x00\x00\x00\x00", "msf1hevc") + HEIFBox("moov") + HEIFBox("mdat", strings.Repeat("x", 99))
	if _, err := door.Inspect([]byte(film), door.Standard); !errors.Is(err, door.ErrCoding) {
		t.Errorf("a sequence without a still: %v", err)
	}
}
