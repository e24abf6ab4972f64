package heic

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"doubletap/internal/photo"
	"doubletap/internal/photo/phototest"
)

func TestDecode(t *testing.T) {
	d := New(256 << 20)
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

// TestRender sees photos through, whole and of tiles of 512 x 512 as iPhones store them: upright, in their colours,
// with their profile.
func TestRender(t *testing.T) {
	for name, size := range map[string]image.Point{"phone.heic": {128, 96}, "tiles.heic": {1000, 700}} {
		r, err := photo.Renderer{HEIC: New(DefaultMemory)}.Render(t.Context(), phototest.Fixture(name))
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
		got, want := m.(*image.YCbCr), phototest.Scene(size.X, size.Y)
		at := func(m *image.YCbCr) func(i int) float64 {
			return func(i int) float64 { return float64(m.Y[i/size.X*m.YStride+i%size.X]) }
		}
		if db := phototest.PSNR(size.X*size.Y, at(got), at(want)); db < 30 { // at quality 55 or 30, and then 82
			t.Errorf("%s: %.1f dB from the scene, want 30", name, db)
		}
	}
}

// TestMemoryIsBounded gives the module too little memory to begin, too little for a tile, and enough.
func TestMemoryIsBounded(t *testing.T) {
	src := phototest.Fixture("tiles.heic")
	for pages, want := range map[int64]bool{1: false, 12: false, 100: true} {
		if _, err := New(pages*page).Decode(t.Context(), src); (err == nil) != want {
			t.Errorf("%d pages: got %v", pages, err)
		}
	}
}

func TestDamage(t *testing.T) {
	d := New(DefaultMemory)
	src := phototest.Fixture("phone.heic")
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		bad := bytes.Clone(src)
		for range 1 + rnd.IntN(6) {
			bad[rnd.IntN(len(bad))] = byte(rnd.Uint32())
		}
		d.Decode(t.Context(), bad) // must return
	}
	if _, err := d.Decode(t.Context(), src); err != nil {
		t.Errorf("after damaged ones: %v", err)
	}
}
