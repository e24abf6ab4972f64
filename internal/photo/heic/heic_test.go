package heic

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/phototest"
)

// sharedDecoder is used by all tests: under the race detector, compiling the module takes seconds.
var sharedDecoder = New(DefaultMemory)

func TestDecode(t *testing.T) {
	d := sharedDecoder
	m, err := d.Decode(t.Context(), phototest.Fixture("phone.heic"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Bounds() != image.Rect(0, 0, 128, 96) {
		t.Errorf("got %v, want it upright, 128x96", m.Bounds())
	}
	if _, err := d.Decode(t.Context(), []byte("no HEIC at all, but long enough to be looked at")); !errors.Is(err, ErrDecode) {
		t.Errorf("garbage: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Decode(ctx, phototest.Fixture("phone.heic")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// TestRender renders photos, whole ones and ones of tiles of 512 x 512 as iPhones store them: they are upright, in
// their colours, with their profile.
func TestRender(t *testing.T) {
	for name, size := range map[string]image.Point{"phone.heic": {128, 96}, "tiles.heic": {1000, 700}} {
		r, err := photo.Renderer{HEIC: sharedDecoder}.Render(t.Context(), phototest.Fixture(name))
		if err != nil {
			t.Fatal(err)
		}
		if r.Width != size.X || r.Height != size.Y || !bytes.Contains(r.Renditions[0].JPEG, []byte(phototest.DisplayP3())) {
			t.Errorf("%s: %dx%d, without its profile", name, r.Width, r.Height)
		}
		m, err := jpeg.Decode(bytes.NewReader(r.Renditions[0].JPEG))
		if err != nil {
			t.Fatal(err)
		}
		got, want := m.(*image.YCbCr), phototest.DrawScene(size.X, size.Y)
		at := func(m *image.YCbCr) func(i int) float64 {
			return func(i int) float64 { return float64(m.Y[i/size.X*m.YStride+i%size.X]) }
		}
		if db := phototest.PSNR(size.X*size.Y, at(got), at(want)); db < 30 { // at quality 55 or 30, and then 82
			t.Errorf("%s: %.1f dB from the scene, want 30", name, db)
		}
	}
}

// TestMemoryIsBounded gives the module too little memory to start, too little for a tile, and enough.
func TestMemoryIsBounded(t *testing.T) {
	src := phototest.Fixture("tiles.heic")
	for pages, want := range map[int64]bool{1: false, 12: false, 100: true} {
		if _, err := New(pages*wasmPageBytes).Decode(t.Context(), src); (err == nil) != want {
			t.Errorf("%d pages: got %v", pages, err)
		}
	}
}

// seedFiles returns a file for each way in which a HEIC can be put together.
func seedFiles() [][]byte {
	tile := phototest.CodedItem(phototest.Fixture("phone.heic"), nil)
	with := func(it phototest.HEIFItem, reference string, to int, properties ...string) phototest.HEIFItem {
		it.Properties = append(it.Properties[:len(it.Properties):len(it.Properties)], properties...)
		if reference != "" {
			it.References = append(it.References, phototest.HEIFReference{Kind: reference, To: []int{to}})
		}
		return it
	}
	all := [][]byte{phototest.Fixture("phone.heic"), phototest.Fixture("tiles.heic")}
	for _, items := range [][]phototest.HEIFItem{
		{with(tile, "", 0, phototest.ColorsProperty(1, 13, 1, false), phototest.CropProperty(61, 47, 9, -4), phototest.RotationProperty(1), phototest.MirrorProperty(1))},
		{phototest.GridItem(2, 2, 150, 201, 2, 2, 2, 2), tile},
		{phototest.OverlayItem(128, 96, [4]uint16{1, 2, 3, 4}, []int{-5, 7, 32, 48}, 2, 3), tile, with(tile, "", 0), with(tile, "auxl", 3, phototest.AlphaProperty())},
		{with(tile, "prem", 2), with(tile, "auxl", 1, phototest.AlphaProperty(), phototest.CropProperty(50, 40, 0, 0))},
		{with(phototest.HEIFItem{Kind: "iden"}, "dimg", 2), tile},
	} {
		all = append(all, phototest.HEIF{Items: items}.Encode())
	}
	return all
}

// checkSurvives decodes src if door.Inspect lets it in. Decoding may fail, but must end, and must give the size that
// Inspect has said. It reports whether the module trapped.
func checkSurvives(t *testing.T, d *Decoder, src []byte) (trapped bool) {
	t.Helper()
	info, err := door.Inspect(src, door.Standard)
	if err != nil || info.Kind != door.HEIC {
		return false
	}
	door.ColorProfile(src, info)
	m, err := d.Decode(t.Context(), src)
	if err == nil {
		if m.Bounds() != image.Rect(0, 0, info.Width, info.Height) {
			t.Fatalf("decoded as %v, at the door it was %d x %d", m.Bounds(), info.Width, info.Height)
		}
		return false
	}
	if !errors.Is(err, ErrDecode) {
		t.Fatal(err)
	}
	return strings.Contains(err.Error(), "wasm error")
}

func TestDamage(t *testing.T) {
	d := sharedDecoder
	rnd := rand.New(rand.NewPCG(5, 6))
	traps, count := 0, 0
	for _, src := range seedFiles() {
		for i := range 20 {
			bad := bytes.Clone(src)
			for range 1 + rnd.IntN(6) {
				within := len(bad)
				if i%2 == 1 {
					within = min(within, 900) // the directory
				}
				bad[rnd.IntN(within)] = byte(rnd.Uint32())
			}
			count++
			if checkSurvives(t, d, bad) {
				traps++
			}
		}
	}
	t.Logf("%d of %d trapped", traps, count)
	if _, err := d.Decode(t.Context(), phototest.Fixture("phone.heic")); err != nil {
		t.Errorf("after damaged ones: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, src := range seedFiles() {
		f.Add(src)
	}
	d := sharedDecoder
	f.Fuzz(func(t *testing.T, src []byte) { checkSurvives(t, d, src) })
}
