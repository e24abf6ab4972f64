package baseline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/photo/plane"
)

const plentySamples = 1 << 28

// testJPEGs returns JPEGs of all kinds that Decode reads, of a few MCUs and a part of one in both directions.
func testJPEGs() map[string][]byte {
	const w, h = 203, 149
	m := phototest.DrawScene(w, h)
	at := phototest.SamplesOf(m)
	shape := func(s phototest.JPEGShape) []byte {
		s.Adobe = -1
		return s.Encode(w, h, at)
	}
	one := [2]int{1, 1}
	return map[string][]byte{
		"4:2:0":            phototest.EncodeJPEG(m, 92),
		"4:2:0 at 100":     phototest.EncodeJPEG(m, 100),
		"4:2:0 at 30":      phototest.EncodeJPEG(m, 30),
		"4:2:0, restarts":  shape(phototest.JPEGShape{Sampling: [][2]int{{2, 2}, one, one}, RestartInterval: 3}),
		"4:2:2":            shape(phototest.JPEGShape{Sampling: [][2]int{{2, 1}, one, one}}),
		"4:4:0":            shape(phototest.JPEGShape{Sampling: [][2]int{{1, 2}, one, one}}),
		"4:4:4":            shape(phototest.JPEGShape{Sampling: [][2]int{one, one, one}}),
		"4:4:4, restarts":  shape(phototest.JPEGShape{Sampling: [][2]int{one, one, one}, RestartInterval: 1}),
		"gray":             phototest.EncodeJPEG(&image.Gray{Pix: m.Y, Stride: m.YStride, Rect: m.Rect}, 92),
		"gray, called 2x2": shape(phototest.JPEGShape{Sampling: [][2]int{{2, 2}}}),
		"a phone's":        phototest.PhoneJPEG(phototest.EncodeJPEG(m, 92), 6, phototest.DisplayP3(), true),
	}
}

// TestFullSizeIsTheStandardLibrarys compares with image/jpeg, whose inverse transform is the same except that it
// rounds in other places.
func TestFullSizeIsTheStandardLibrarys(t *testing.T) {
	for name, src := range testJPEGs() {
		p, err := Decode(t.Context(), src, 8, plentySamples)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, db := range planePSNRs(t, p, src) {
			if db < 60 {
				t.Errorf("%s: plane %d is %.1f dB from image/jpeg's, want 60", name, i, db)
			}
		}
		p.Release()
	}
}

// planePSNRs returns, for each plane of p, how alike it is to what image/jpeg decodes from src, in dB.
func planePSNRs(t *testing.T, p *plane.Picture, src []byte) []float64 {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	var want *plane.Picture
	switch m := m.(type) {
	case *image.YCbCr:
		want = plane.FromYCbCr(m)
	case *image.Gray:
		want = plane.FromGray(m)
	default:
		t.Fatalf("image/jpeg returns a %T", m)
	}
	if p.W != want.W || p.H != want.H || p.IsGray() != want.IsGray() {
		t.Fatalf("got %dx%d, want %dx%d", p.W, p.H, want.W, want.H)
	}
	dbs := []float64{planePSNR(p.Y, want.Y)}
	if !p.IsGray() {
		dbs = append(dbs, planePSNR(p.Cb, want.Cb), planePSNR(p.Cr, want.Cr))
	}
	return dbs
}

func planePSNR(a, b plane.Plane) float64 {
	sum := 0.0
	for y := range a.H {
		for x := range a.W {
			d := float64(a.Pix[y*a.Stride+x]) - float64(b.Pix[y*b.Stride+x])
			sum += d * d
		}
	}
	return 10 * math.Log10(255*255/(sum/float64(a.W*a.H)+1e-9))
}

// TestScaledIsTheFullPictureMadeSmaller compares each sample with the mean of those that become one. It is only a
// sanity check, since the scaled decode is sharper.
func TestScaledIsTheFullPictureMadeSmaller(t *testing.T) {
	for name, src := range testJPEGs() {
		full, err := Decode(t.Context(), src, 8, plentySamples)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []int{4, 2, 1} {
			p, err := Decode(t.Context(), src, k, plentySamples)
			if err != nil {
				t.Errorf("%s at %d/8: %v", name, k, err)
				continue
			}
			if p.W != (full.W*k+7)/8 || p.H != (full.H*k+7)/8 || p.ExactW != float64(full.W*k)/8 {
				t.Errorf("%s at %d/8: %dx%d of %dx%d", name, k, p.W, p.H, full.W, full.H)
			}
			if db := planePSNR(p.Y, meanPlane(full.Y, 8/k, p.Y.W, p.Y.H)); db < 27 {
				t.Errorf("%s at %d/8: brightness is %.1f dB from the mean, want 27", name, k, db)
			}
			if !p.IsGray() {
				if db := planePSNR(p.Cb, meanPlane(full.Cb, 8/k, p.Cb.W, p.Cb.H)); db < 33 {
					t.Errorf("%s at %d/8: colour is %.1f dB from the mean, want 33", name, k, db)
				}
			}
			p.Release()
		}
	}
}

func meanPlane(src plane.Plane, n, w, h int) plane.Plane {
	out := plane.Plane{Pix: make([]byte, w*h), Stride: w, W: w, H: h}
	for y := range h {
		for x := range w {
			sum, count := 0, 0
			for dy := range n {
				for dx := range n {
					if sx, sy := x*n+dx, y*n+dy; sx < src.W && sy < src.H {
						sum, count = sum+int(src.Pix[sy*src.Stride+sx]), count+1
					}
				}
			}
			if count > 0 {
				out.Pix[y*w+x] = byte((sum + count/2) / count)
			}
		}
	}
	return out
}

func TestWhatIsNotOurs(t *testing.T) {
	const w, h = 64, 48
	at := func(c, x, y int) byte { return byte(x*3 + y*c) }
	one := [2]int{1, 1}
	three := [][2]int{one, one, one}
	for name, c := range map[string]struct {
		src  []byte
		want error
	}{
		"progressive":   {phototest.JPEGShape{Sampling: three, Adobe: -1, Progressive: true}.Encode(w, h, at), ErrUnsupported},
		"in scans":      {phototest.JPEGShape{Sampling: three, Adobe: -1, ScanPerComponent: true}.Encode(w, h, at), ErrUnsupported},
		"CMYK":          {phototest.JPEGShape{Sampling: append(three, one), Adobe: 0}.Encode(w, h, at), ErrUnsupported},
		"Adobe's RGB":   {phototest.JPEGShape{Sampling: three, Adobe: 0}.Encode(w, h, at), ErrUnsupported},
		"RGB by name":   {phototest.JPEGShape{Sampling: three, Adobe: -1, ComponentNames: "RGB"}.Encode(w, h, at), ErrUnsupported},
		"4:1:1":         {phototest.JPEGShape{Sampling: [][2]int{{4, 1}, one, one}, Adobe: -1}.Encode(w, h, at), nil},
		"colours first": {phototest.JPEGShape{Sampling: [][2]int{one, {2, 2}, {2, 2}}, Adobe: -1}.Encode(w, h, at), ErrUnsupported},
		"Adobe's YCbCr": {phototest.JPEGShape{Sampling: three, Adobe: 1}.Encode(w, h, at), nil},
		"empty":         {nil, ErrMalformed},
		"a PNG":         {[]byte("\x89PNG\r\n\x1a\n"), ErrMalformed},
	} {
		if p, err := Decode(t.Context(), c.src, 8, plentySamples); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		} else {
			p.Release()
		}
	}
}

func TestDamage(t *testing.T) {
	src := testJPEGs()["4:2:0"]
	if _, err := Decode(t.Context(), src, 8, 203*149); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more samples than allowed: got %v", err)
	}
	for n := 0; n < len(src)-2; n += 1 + n/100 { // whatever is missing, even only the end marker
		if _, err := Decode(t.Context(), src[:n], 4, plentySamples); err == nil {
			t.Fatalf("%d of %d bytes decoded without an error", n, len(src))
		}
	}
	whole, err := Decode(t.Context(), src, 4, plentySamples)
	if err != nil {
		t.Fatal(err)
	}
	half := append(bytes.Clone(src[:len(src)/2]), 0xFF, eoi) // with an end marker
	p, err := Decode(t.Context(), half, 4, plentySamples)
	if err != nil {
		t.Fatalf("half of a picture: %v", err)
	}
	row := func(p *plane.Picture, y int) string { return string(p.Y.Pix[y*p.Y.Stride:][:p.W]) }
	if row(p, 0) != row(whole, 0) || row(p, p.H-1) != strings.Repeat("\x80", p.W) {
		t.Errorf("half of a picture begins %q and ends %q", row(p, 0)[:8], row(p, p.H-1)[:8])
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, src := range testJPEGs() {
		for range 300 {
			bad := bytes.Clone(src)
			for range 1 + rnd.IntN(8) {
				bad[rnd.IntN(len(bad))] = byte(rnd.Uint32())
			}
			if p, err := Decode(t.Context(), bad, 1<<rnd.IntN(4), 1<<22); err == nil {
				p.Release()
			}
		}
	}
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, testJPEGs()["4:2:0"], 8, plentySamples); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, src := range testJPEGs() {
		f.Add(src, uint8(3))
	}
	f.Fuzz(func(t *testing.T, src []byte, scale uint8) {
		p, err := Decode(t.Context(), src, 1<<(scale&3), 1<<18)
		if (p == nil) == (err == nil) {
			t.Fatalf("picture %v, error %v", p, err)
		}
		p.Release()
	})
}

func BenchmarkDecode(b *testing.B) {
	src := phototest.EncodeJPEG(phototest.DrawScene(4032, 3024), 92)
	b.Logf("%d bytes", len(src))
	b.Run("image/jpeg", func(b *testing.B) {
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(src)); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, k := range []int{8, 4, 2, 1} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			for b.Loop() {
				p, err := Decode(b.Context(), src, k, plentySamples)
				if err != nil {
					b.Fatal(err)
				}
				p.Release()
			}
		})
	}
}
