package heic

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/heif"
	. "github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestColorsOfTheBitstream compares a file that says what samples mean in the bitstream's parameter set with one that
// says it in its directory. The directory wins where both do.
func TestColorsOfTheBitstream(t *testing.T) {
	testenv.SkipSequential(t)
	d := sharedDecoder
	file := func(matrix int, full bool, properties ...string) []byte {
		it := CodedItem(Fixture("tiles.heic"), func(b *ParameterSet) { b.SetColors(matrix, full) })
		it.Properties = append(it.Properties, properties...)
		return HEIF{Items: []HEIFItem{it}}.Encode()
	}
	decoded := map[string]string{}
	for _, matrix := range []int{1, 6, 9} {
		for _, full := range []bool{false, true} {
			name := fmt.Sprint(matrix, full)
			told, err := d.Decode(t.Context(), file(6, true, ColorsProperty(1, 13, matrix, full)))
			if err != nil {
				t.Fatal(err)
			}
			coded, err := d.Decode(t.Context(), file(matrix, full))
			if err != nil {
				t.Fatal(err)
			}
			both, err := d.Decode(t.Context(), file(1, false, ColorsProperty(1, 13, matrix, full)))
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(coded) != fmt.Sprint(told) || fmt.Sprint(both) != fmt.Sprint(told) {
				t.Errorf("matrix %d, all levels %v: other colours", matrix, full)
			}
			for other, pixels := range decoded {
				if pixels == fmt.Sprint(told) {
					t.Errorf("%s is as %s", name, other)
				}
			}
			decoded[name] = fmt.Sprint(told)
		}
	}
}

// TestColorsThatDebianMisses has the colours that libheif 1.15 misreads: gray of video range, and colours that have
// no matrix of weights.
func TestColorsThatDebianMisses(t *testing.T) {
	d := sharedDecoder
	item := func(m image.Image, colors string, args ...string) []byte {
		it := CodedItem(encodeWithLibheif(t, m, args...), nil)
		it.Properties = append(it.Properties, colors)
		return HEIF{Items: []HEIFItem{it}}.Encode()
	}
	flat := func(c color.Color) image.Image {
		m := image.NewRGBA(image.Rect(0, 0, 64, 64))
		for i := range 64 * 64 {
			m.Set(i%64, i/64, c)
		}
		return m
	}
	gray := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range gray.Pix {
		gray.Pix[i] = 235
	}
	// As YCbCr this orange is 130, 91, 159.
	orange := flat(color.RGBA{173, 121, 64, 255})
	for name, c := range map[string]struct {
		src  []byte
		want color.RGBA
	}{
		"gray of few levels":   {item(gray, ColorsProperty(1, 13, 6, false), "-q", "98"), color.RGBA{255, 255, 255, 255}},
		"green, blue and red":  {item(orange, ColorsProperty(1, 13, 0, true), "-q", "98", "-p", "chroma=444"), color.RGBA{159, 130, 91, 255}},
		"green and orange":     {item(orange, ColorsProperty(1, 13, 8, true), "-q", "98", "-p", "chroma=444"), color.RGBA{198, 93, 136, 255}},
		"green, with few":      {item(orange, ColorsProperty(1, 13, 0, false), "-q", "98", "-p", "chroma=444"), color.RGBA{167, 133, 87, 255}},
		"as the primaries say": {item(orange, ColorsProperty(9, 13, 12, true), "-q", "98"), color.RGBA{176, 121, 60, 255}},
	} {
		m, err := d.Decode(t.Context(), c.src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, g, b, _ := m.At(30, 30).RGBA()
		for i, v := range [][2]int{{int(r >> 8), int(c.want.R)}, {int(g >> 8), int(c.want.G)}, {int(b >> 8), int(c.want.B)}} {
			if max(v[0]-v[1], v[1]-v[0]) > 3 {
				t.Errorf("%s: got %d, %d, %d, want %v (%d)", name, r>>8, g>>8, b>>8, c.want, i)
				break
			}
		}
	}
}

// TestMemoryIsEnough gives the decoder only the memory that DecoderMemory says a picture takes, and renders each
// kind: what door.Inspect lets in is shown.
func TestMemoryIsEnough(t *testing.T) {
	testenv.SkipSequential(t)
	m := DrawScene(320, 240)
	deep := image.NewNRGBA64(m.Rect)
	gray := image.NewGray16(m.Rect)
	for i := range 320 * 240 {
		deep.Set(i%320, i/320, m.At(i%320, i/320))
		gray.Set(i%320, i/320, m.At(i%320, i/320))
	}
	files := map[string][]byte{"gray": encodeWithLibheif(t, &image.Gray{Pix: m.Y, Stride: m.YStride, Rect: m.Rect}), "gray, 10 bits": encodeWithLibheif(t, gray), "alpha": encodeWithLibheif(t, CutOutDisc(m))}
	for _, chroma := range []string{"420", "422", "444"} {
		files[chroma] = encodeWithLibheif(t, m, "-p", "chroma="+chroma)
		files[chroma+", 10 bits"] = encodeWithLibheif(t, deep, "-p", "chroma="+chroma)
		files[chroma+", 12 bits"] = encodeWithLibheif(t, deep, "-b", "12", "-p", "chroma="+chroma)
	}
	d := sharedDecoder
	defer func() { d.maxMemory = DefaultMemory }()
	for name, src := range files {
		p, err := heif.ReadPrimary(src, maxCodedSamples)
		if err != nil {
			t.Fatal(err)
		}
		d.maxMemory = p.DecoderMemory()
		r, err := photo.Renderer{HEIC: d}.Render(t.Context(), src)
		if err != nil {
			t.Errorf("%s, in %d kB: %v", name, d.maxMemory>>10, err)
			continue
		}
		if r.Width != 320 || r.Height != 240 || len(r.Renditions) != len(photo.Sizes) {
			t.Errorf("%s: %d x %d, %d renditions", name, r.Width, r.Height, len(r.Renditions))
		}
		info, err := door.Inspect(src, door.Standard)
		if err != nil || info.Width != 320 || info.Height != 240 || info.Gray != strings.HasPrefix(name, "gray") {
			t.Errorf("%s at the door: %+v, %v", name, info, err)
		}
	}
}
