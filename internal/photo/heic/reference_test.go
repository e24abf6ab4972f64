package heic

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// drawPatches fills m with squares of 16 pixels, in colours that every matrix and range has, so that subsampling of
// colours makes no difference.
func drawPatches(m draw.Image) draw.Image {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			i, j := x/16, y/16
			level := func(n int) uint8 { return uint8(80 + n%90) }
			m.Set(x, y, color.RGBA{level(i*37 + j*11), level(i*19 + j*53 + 30), level(i*71 + j*29 + 60), 255})
		}
	}
	return m
}

// encodeWithLibheif returns a picture as Debian's heif-enc encodes it.
func encodeWithLibheif(t testing.TB, m image.Image, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "in.png"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := RequireProgram(t, "heif-enc", append(args, "-p", "preset=ultrafast", filepath.Join(dir, "in.png"), "-o", filepath.Join(dir, "out.heic"))...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("heif-enc %v: %v\n%s", args, err, out)
	}
	src, err := os.ReadFile(filepath.Join(dir, "out.heic"))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// referenceImage returns the picture that Debian's libheif decodes from a file, on white.
func referenceImage(t *testing.T, name string, src []byte, premultiplied bool) image.Image {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.heic"), src, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := RequireProgram(t, "heif-convert", filepath.Join(dir, "in.heic"), filepath.Join(dir, "out.png"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: heif-convert: %v\n%s", name, err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "out.png"))
	if os.IsNotExist(err) { // a file that shows several items gives several pictures, the first item first
		b, err = os.ReadFile(filepath.Join(dir, "out-1.png"))
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(m.Bounds())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			c := color.NRGBA64Model.Convert(m.At(x, y)).(color.NRGBA64)
			on := func(v uint16) uint8 {
				part := int(v)
				if !premultiplied {
					part = int(v) * int(c.A) / 0xFFFF
				}
				return uint8((min(part+0xFFFF-int(c.A), 0xFFFF)*255 + 0x7FFF) / 0xFFFF)
			}
			out.SetRGBA(x, y, color.RGBA{on(c.R), on(c.G), on(c.B), 255})
		}
	}
	return out
}

// largestDifference returns the largest difference, in levels, between the means of squares of 4 pixels in both
// pictures. Squares on an edge in a are left out.
func largestDifference(a, b image.Image) (most float64) {
	w, h := a.Bounds().Dx(), a.Bounds().Dy()
	for y := 0; y+4 <= h; y += 4 {
		for x := 0; x+4 <= w; x += 4 {
			var sum, low, high [3]float64
			low = [3]float64{255, 255, 255}
			for i := range 64 { // the square and what lies around it
				px, py := min(max(x+i%8-2, 0), w-1), min(max(y+i/8-2, 0), h-1)
				r, g, bl, _ := a.At(px, py).RGBA()
				r2, g2, bl2, _ := b.At(px, py).RGBA()
				inside := i%8 >= 2 && i%8 < 6 && i/8 >= 2 && i/8 < 6
				for c, v := range [][2]uint32{{r, r2}, {g, g2}, {bl, bl2}} {
					low[c], high[c] = min(low[c], float64(v[0]>>8)), max(high[c], float64(v[0]>>8))
					if inside {
						sum[c] += float64(v[0]>>8) - float64(v[1]>>8)
					}
				}
			}
			for c := range sum {
				if high[0]-low[0] < 12 && high[1]-low[1] < 12 && high[2]-low[2] < 12 {
					most = max(most, math.Abs(sum[c])/16)
				}
			}
		}
	}
	return most
}

// TestLikeLibheif compares with Debian's libheif, for each way in which a HEIC can be put together.
func TestLikeLibheif(t *testing.T) {
	testenv.SkipSequential(t)
	d := sharedDecoder
	size := image.Rect(0, 0, 128, 96)
	coded := map[string]HEIFItem{}
	for _, name := range []string{"420", "422", "444"} {
		coded[name] = CodedItem(encodeWithLibheif(t, drawPatches(image.NewRGBA(size)), "-q", "95", "-p", "chroma="+name), nil)
		coded[name+" deep"] = CodedItem(encodeWithLibheif(t, drawPatches(image.NewRGBA64(size)), "-q", "95", "-b", "10", "-p", "chroma="+name), nil)
	}
	coded["gray"] = CodedItem(encodeWithLibheif(t, drawPatches(image.NewGray(size)), "-q", "95"), nil)
	coded["gray deep"] = CodedItem(encodeWithLibheif(t, drawPatches(image.NewGray16(size)), "-q", "95", "-b", "10"), nil)
	with := func(it HEIFItem, properties ...string) HEIFItem {
		it.Properties = append(it.Properties[:len(it.Properties):len(it.Properties)], properties...)
		return it
	}
	refers := func(it HEIFItem, kind string, to ...int) HEIFItem {
		it.References = append(it.References[:len(it.References):len(it.References)], HEIFReference{Kind: kind, To: to})
		return it
	}
	files := map[string]HEIF{}
	for name, it := range coded {
		files[name] = HEIF{Items: []HEIFItem{it}}
		files[name+", a grid"] = HEIF{Items: []HEIFItem{GridItem(2, 2, 201, 150, 2, 2, 2, 2), it}}
		files[name+", cropped at odd places"] = HEIF{Items: []HEIFItem{with(it, CropProperty(61, 47, 9, -4))}}
		if !strings.HasSuffix(name, "deep") { // Debian's cannot mirror these
			files[name+", turned and mirrored"] = HEIF{Items: []HEIFItem{with(it, RotationProperty(1), MirrorProperty(1))}}
		}
		for _, matrix := range []int{1, 2, 5, 6, 9} {
			for _, full := range []bool{false, true} {
				if strings.HasPrefix(name, "gray") {
					continue // Debian's does not convert the levels of gray
				}
				files[fmt.Sprintf("%s, matrix %d, all levels %v", name, matrix, full)] = HEIF{Items: []HEIFItem{with(it, ColorsProperty(1, 13, matrix, full))}}
			}
		}
	}
	base := coded["420"]
	for turn := range 4 {
		for axis := range 2 {
			files[fmt.Sprintf("turned by %d, mirrored %d", turn, axis)] = HEIF{Items: []HEIFItem{with(base, RotationProperty(turn), MirrorProperty(axis))}}
			files[fmt.Sprintf("mirrored %d, turned by %d", axis, turn)] = HEIF{Items: []HEIFItem{with(base, MirrorProperty(axis), RotationProperty(turn))}}
		}
	}
	files["cropped, turned"] = HEIF{Items: []HEIFItem{with(base, CropProperty(64, 48, -16, 16), RotationProperty(3))}}
	files["turned, cropped"] = HEIF{Items: []HEIFItem{with(base, RotationProperty(3), CropProperty(48, 64, -16, 16))}}
	// On a larger canvas, Debian's leaves a part uninitialised.
	files["an overlay"] = HEIF{Items: []HEIFItem{OverlayItem(128, 96, [4]uint16{}, []int{0, 0, 32, 48, 96, -16}, 2, 3, 2), base, coded["444"]}}
	files["colours of the tiles alone"] = HEIF{Items: []HEIFItem{GridItem(1, 2, 256, 96, 2, 2), with(base, ColorsProperty(1, 13, 1, false))}}
	alpha := image.NewGray(size)
	for i := range alpha.Pix {
		alpha.Pix[i] = byte(40 + i%128/16*25)
	}
	clear := with(CodedItem(encodeWithLibheif(t, alpha, "-q", "98"), nil), AlphaProperty())
	files["alpha"] = HEIF{Items: []HEIFItem{base, refers(clear, "auxl", 1)}}
	files["alpha, gray"] = HEIF{Items: []HEIFItem{coded["gray"], refers(clear, "auxl", 1)}}
	files["alpha, 4:4:4"] = HEIF{Items: []HEIFItem{coded["444"], refers(clear, "auxl", 1)}}
	files["alpha, turned"] = HEIF{Items: []HEIFItem{with(base, RotationProperty(1)), with(refers(clear, "auxl", 1), RotationProperty(1))}}
	files["alpha, a grid"] = HEIF{Items: []HEIFItem{GridItem(1, 2, 256, 96, 2, 2), base, refers(with(GridItem(1, 2, 256, 96, 4, 4), AlphaProperty()), "auxl", 1), clear}}
	for i := range alpha.Pix {
		alpha.Pix[i] = byte(180 + i%128/16*10) // premultiplied colours are not above alpha
	}
	light := with(CodedItem(encodeWithLibheif(t, alpha, "-q", "98"), nil), AlphaProperty())
	files["alpha, premultiplied"] = HEIF{Items: []HEIFItem{refers(base, "prem", 2), refers(light, "auxl", 1)}}
	for name, file := range files {
		src := file.Encode()
		got, err := d.Decode(t.Context(), src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := referenceImage(t, name, src, strings.Contains(name, "premultiplied"))
		if got.Bounds() != want.Bounds() {
			t.Errorf("%s: %v, want %v", name, got.Bounds(), want.Bounds())
			continue
		}
		limit := 2.0
		if strings.Contains(name, "deep") && strings.Contains(name, "matrix") {
			limit = 4 // it is rounded twice, to 8 bits and to the levels of a JPEG
		}
		if n := largestDifference(want, got); n > limit {
			t.Errorf("%s: %.1f levels off", name, n)
		}
	}
}
