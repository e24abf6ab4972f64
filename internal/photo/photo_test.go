package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// brightnessOf returns the brightness of a JPEG, row by row.
func brightnessOf(t *testing.T, src []byte) (w, h int, at func(i int) float64) {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	w, h = m.Bounds().Dx(), m.Bounds().Dy()
	switch m := m.(type) {
	case *image.YCbCr:
		return w, h, func(i int) float64 { return float64(m.Y[i/w*m.YStride+i%w]) }
	case *image.Gray:
		return w, h, func(i int) float64 { return float64(m.Pix[i/w*m.Stride+i%w]) }
	}
	t.Fatalf("a %T", m)
	return
}

func renderPhoto(t *testing.T, src []byte) Result {
	t.Helper()
	r, err := Renderer{}.Render(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r Result) renditionNamed(name string) Rendition {
	for _, x := range r.Renditions {
		if x.ThumbName() == name {
			return x
		}
	}
	panic("no rendition " + name)
}

func TestSizes(t *testing.T) {
	testenv.SkipSequential(t)
	for _, c := range []struct {
		w, h int
		want string // sizes of the renditions, in order
	}{
		{2000, 1500, "1920x1440 1080x810 640x480 320x240 320x320 100x100"},
		{800, 1200, "800x1200 720x1080 427x640 213x320 320x320 100x100"},
		{1000, 700, "1000x700 1000x700 640x448 320x224 320x320 100x100"},
		{200, 150, "200x150 200x150 200x150 200x150 150x150 100x100"},
		{4200, 300, "1920x137 1080x77 640x46 320x23 300x300 100x100"},
		{3, 2, "3x2 3x2 3x2 3x2 2x2 2x2"},
		{1, 1, "1x1 1x1 1x1 1x1 1x1 1x1"},
		{5000, 1, "1920x1 1080x1 640x1 320x1 1x1 1x1"},
	} {
		m := phototest.DrawScene(c.w, c.h)
		for _, o := range []int{1, 6} {
			r := renderPhoto(t, phototest.PhoneJPEG(phototest.EncodeJPEG(phototest.AsCameraStores(m, o), 80), o, "", false))
			got := []string{}
			for _, x := range r.Renditions {
				w, h, _ := brightnessOf(t, x.JPEG)
				if w != x.Width || h != x.Height {
					t.Errorf("%s is %dx%d, and said to be %dx%d", x.ThumbName(), w, h, x.Width, x.Height)
				}
				got = append(got, image.Pt(w, h).String())
			}
			text := strings.NewReplacer("(", "", ")", "", ",", "x").Replace(strings.Join(got, " "))
			if text != c.want || r.Width != c.w || r.Height != c.h {
				t.Errorf("%dx%d, orientation %d: got %dx%d as %s, want %s", c.w, c.h, o, r.Width, r.Height, text, c.want)
			}
		}
	}
}

// TestAllOrientationsShowThePicture renders a JPEG, which is encoded anew for each orientation, and a PNG, which must
// be exactly the same except for the filter's rounding.
func TestAllOrientationsShowThePicture(t *testing.T) {
	testenv.SkipSequential(t)
	// an odd size that is odd again when it is made smaller, so that a shift of the colours by a sample would show
	m := phototest.DrawScene(601, 403)
	r := Renderer{Sizes: []Size{{Side: 1920}, {Side: 333}, {Side: 100}, {Side: 99, Crop: true}}}
	for _, c := range []struct {
		name string
		make func(m image.Image, o int) []byte
		want float64
	}{
		{"JPEG", func(m image.Image, o int) []byte {
			return phototest.PhoneJPEG(phototest.EncodeJPEG(m, 95), o, "", o%2 == 0)
		}, 33},
		{"PNG", func(m image.Image, o int) []byte { return phototest.TaggedPNG(m, o, "") }, 40},
	} {
		want, err := r.Render(t.Context(), c.make(phototest.AsCameraStores(m, 1), 1))
		if err != nil {
			t.Fatal(err)
		}
		for o := 2; o <= 8; o++ {
			got, err := r.Render(t.Context(), c.make(phototest.AsCameraStores(m, o), o))
			if err != nil {
				t.Fatal(err)
			}
			if got.Width != want.Width || got.Height != want.Height || !isNearColor(got.Color, want.Color) {
				t.Errorf("%s, orientation %d: %dx%d %s, want %dx%d %s", c.name, o, got.Width, got.Height, got.Color, want.Width, want.Height, want.Color)
			}
			for i, x := range got.Renditions {
				a, b := decodeImage(t, x.JPEG), decodeImage(t, want.Renditions[i].JPEG)
				if a.Bounds() != b.Bounds() {
					t.Fatalf("%s, orientation %d, %s: %v, want %v", c.name, o, x.ThumbName(), a.Bounds(), b.Bounds())
				}
				if db := imagePSNR(a, b); db < c.want {
					t.Errorf("%s, orientation %d, %s: %.1f dB from orientation 1, want %v", c.name, o, x.ThumbName(), db, c.want)
				}
			}
		}
	}
}

// isNearColor reports whether two colours are at most three levels apart.
func isNearColor(a, b string) bool {
	var x, y [3]int
	fmt.Sscanf(a, "#%2x%2x%2x", &x[0], &x[1], &x[2])
	fmt.Sscanf(b, "#%2x%2x%2x", &y[0], &y[1], &y[2])
	for i := range x {
		if d := x[i] - y[i]; d < -3 || d > 3 {
			return false
		}
	}
	return true
}

func decodeImage(t *testing.T, src []byte) image.Image {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// imagePSNR returns how alike two pictures are in RGB, in dB.
func imagePSNR(a, b image.Image) float64 {
	x, y := rgbRowsOf(a), rgbRowsOf(b)
	return phototest.PSNR(len(x), func(i int) float64 { return float64(x[i]) }, func(i int) float64 { return float64(y[i]) })
}

// rgbRowsOf returns a picture as rows of RGB.
func rgbRowsOf(m image.Image) []uint8 {
	b := m.Bounds()
	rgba := image.NewRGBA(b)
	draw.Draw(rgba, b, m, b.Min, draw.Src)
	out := make([]uint8, 0, 3*b.Dx()*b.Dy())
	for i := 0; i < len(rgba.Pix); i += 4 {
		out = append(out, rgba.Pix[i:i+3]...)
	}
	return out
}

// TestEveryKindShowsTheScene renders small photos of every kind and compares them with the picture that they were
// made from.
func TestEveryKindShowsTheScene(t *testing.T) {
	const w, h = 96, 64
	m := phototest.DrawScene(w, h)
	at := phototest.SamplesOf(m)
	one := [2]int{1, 1}
	full := [][2]int{one, one, one}
	shape := func(s phototest.JPEGShape, at func(c, x, y int) byte) []byte {
		s.Quality = 97
		return s.Encode(w, h, at)
	}
	rgb := func(c, x, y int) byte {
		r, g, b, _ := m.At(x, y).RGBA()
		return byte([3]uint32{r, g, b}[c] >> 8)
	}
	ink := func(c, x, y int) byte { // Adobe's CMYK is inverted: RGB is stored, and black is at its full value
		if c == 3 {
			return 255
		}
		return rgb(c, x, y)
	}
	gray := &image.Gray{Pix: m.Y, Stride: m.YStride, Rect: m.Rect}
	gray16, deep := image.NewGray16(m.Rect), image.NewNRGBA64(m.Rect)
	for y := range h {
		for x := range w {
			gray16.Set(x, y, gray.At(x, y))
			deep.Set(x, y, m.At(x, y))
		}
	}
	sticker := phototest.CutOutDisc(m)
	onWhite := image.NewRGBA(m.Rect)
	for y := range h {
		for x := range w {
			c := sticker.NRGBAAt(x, y)
			for i, v := range []uint8{c.R, c.G, c.B} {
				onWhite.Pix[onWhite.PixOffset(x, y)+i] = uint8((int(v)*int(c.A) + 255*(255-int(c.A))) / 255)
			}
			onWhite.Pix[onWhite.PixOffset(x, y)+3] = 255
		}
	}
	for name, c := range map[string]struct {
		src  []byte
		like image.Image
		want float64 // dB between two renditions of a picture this small, each at quality 82
	}{
		"JPEG 4:2:0":              {phototest.EncodeJPEG(m, 97), m, 29},
		"JPEG 4:2:2":              {shape(phototest.JPEGShape{Sampling: [][2]int{{2, 1}, one, one}, Adobe: -1}, at), m, 29},
		"JPEG 4:4:0":              {shape(phototest.JPEGShape{Sampling: [][2]int{{1, 2}, one, one}, Adobe: -1}, at), m, 29},
		"JPEG 4:4:4":              {shape(phototest.JPEGShape{Sampling: full, Adobe: -1}, at), m, 29},
		"JPEG 4:1:1":              {shape(phototest.JPEGShape{Sampling: [][2]int{{4, 1}, one, one}, Adobe: -1}, at), m, 29},
		"JPEG, colours unlike":    {shape(phototest.JPEGShape{Sampling: [][2]int{{2, 2}, {2, 1}, one}, Adobe: -1}, at), m, 29},
		"JPEG, restarts":          {shape(phototest.JPEGShape{Sampling: full, Adobe: -1, RestartInterval: 5}, at), m, 29},
		"JPEG, progressive":       {shape(phototest.JPEGShape{Sampling: [][2]int{{2, 2}, one, one}, Adobe: -1, Progressive: true}, at), m, 29},
		"JPEG, progressive 4:4:4": {shape(phototest.JPEGShape{Sampling: full, Adobe: -1, Progressive: true}, at), m, 29},
		"JPEG, in scans":          {shape(phototest.JPEGShape{Sampling: full, Adobe: -1, ScanPerComponent: true}, at), m, 29},
		"JPEG, RGB by Adobe":      {shape(phototest.JPEGShape{Sampling: full, Adobe: 0}, rgb), m, 34},
		"JPEG, RGB by name":       {shape(phototest.JPEGShape{Sampling: full, Adobe: -1, ComponentNames: "RGB"}, rgb), m, 34},
		"JPEG, CMYK":              {shape(phototest.JPEGShape{Sampling: append(full, one), Adobe: 0}, ink), m, 34},
		"JPEG, gray":              {phototest.EncodeJPEG(gray, 97), gray, 32},
		"PNG":                     {phototest.TaggedPNG(m, 1, ""), m, 60},
		"PNG, alpha":              {phototest.TaggedPNG(sticker, 1, ""), onWhite, 27},
		"PNG, 16 bits":            {phototest.TaggedPNG(deep, 1, ""), m, 60},
		"PNG, gray":               {phototest.TaggedPNG(gray, 1, ""), gray, 32},
		"PNG, gray, 16 bits":      {phototest.TaggedPNG(gray16, 1, ""), gray, 60},
		"GIF":                     {phototest.TaggedGIF(m, 1), m, 22}, // it has 216 colours
		"GIF, animated":           {phototest.TaggedGIF(m, 3), m, 22},
		"WebP":                    {phototest.TaggedWebP("lossy.webp", 1, ""), m, 29},
		"WebP, alpha":             {phototest.TaggedWebP("alpha.webp", 1, ""), onWhite, 24}, // at quality 50
		"WebP, animated":          {phototest.TaggedWebP("animated.webp", 1, ""), m, 24},    // at quality 40
	} {
		r := renderPhoto(t, c.src)
		got := decodeImage(t, r.renditionNamed("1920x1920f").JPEG)
		if got.Bounds() != c.like.Bounds() {
			t.Errorf("%s: %v", name, got.Bounds())
			continue
		}
		like := decodeImage(t, renderPhoto(t, phototest.TaggedPNG(c.like, 1, "")).renditionNamed("1920x1920f").JPEG)
		if db := imagePSNR(got, like); db < c.want {
			t.Errorf("%s: %.1f dB from the scene, want %v", name, db, c.want)
		}
	}
}

// TestWebPHasAllLevels: x/image decodes a lossy WebP with black at 16 and white at 235, and does not say so.
func TestWebPHasAllLevels(t *testing.T) {
	src := phototest.Fixture("lossy.webp")
	info, err := door.Inspect(src, door.Standard)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Renderer{}.decodePhoto(t.Context(), src, info, 8)
	if err != nil {
		t.Fatal(err)
	}
	if db := imagePSNR(p.AsImage(), phototest.DrawScene(96, 64)); db < 33 {
		t.Errorf("%.1f dB from the scene, want 33", db)
	}
	cmd := phototest.RequireProgram(t, "dwebp", "-quiet", "-nofancy", "-o", "-", "--", "-") // another decoder, for comparison
	cmd.Stdin = bytes.NewReader(src)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if db := imagePSNR(p.AsImage(), want); db < 45 {
		t.Errorf("%.1f dB from dwebp, want 45", db)
	} else {
		t.Logf("%.1f dB from dwebp", db)
	}
}

func TestRenditionsTellNothing(t *testing.T) {
	for name, src := range map[string][]byte{
		"JPEG": phototest.PhoneJPEG(phototest.EncodeJPEG(phototest.DrawScene(800, 600), 90), 6, phototest.DisplayP3(), true),
		"PNG":  phototest.TaggedPNG(phototest.DrawScene(300, 200), 6, phototest.DisplayP3()),
		"WebP": phototest.TaggedWebP("lossy.webp", 6, phototest.DisplayP3()),
		"GIF":  phototest.TaggedGIF(phototest.DrawScene(300, 200), 2),
	} {
		for _, x := range renderPhoto(t, src).Renditions {
			for _, secret := range append(phototest.Secrets, "Exif", "Adobe") {
				if bytes.Contains(x.JPEG, []byte(secret)) {
					t.Errorf("%s, %s: %q is in it", name, x.ThumbName(), secret)
				}
			}
			if got := bytes.Contains(x.JPEG, []byte("ICC_PROFILE\x00\x01\x01"+phototest.DisplayP3())); got != (name != "GIF") {
				t.Errorf("%s, %s: the profile is there: %v", name, x.ThumbName(), got)
			}
		}
	}
}

// TestColoursStay: a photo in Display P3 keeps its colours, since its profile is copied and nothing is converted.
// Without the profile they would be 5 levels off.
func TestColoursStay(t *testing.T) {
	m := phototest.DrawScene(1200, 900)
	r := renderPhoto(t, phototest.PhoneJPEG(phototest.EncodeJPEG(m, 95), 1, phototest.DisplayP3(), false))
	small := decodeImage(t, r.renditionNamed("320x320f").JPEG)
	var off [3]float64
	for y := range 240 {
		for x := range 320 {
			var sum [3]float64
			for i := range 16 { // sample a square of 3.75 x 3.75
				r, g, b, _ := m.At(int(float64(x)*3.75)+i%4, int(float64(y)*3.75)+i/4).RGBA()
				sum[0], sum[1], sum[2] = sum[0]+float64(r>>8)/16, sum[1]+float64(g>>8)/16, sum[2]+float64(b>>8)/16
			}
			r, g, b, _ := small.At(x, y).RGBA()
			for i, v := range []uint32{r, g, b} {
				off[i] += (float64(v>>8) - sum[i]) / (320 * 240)
			}
		}
	}
	for i, v := range off {
		if math.Abs(v) > 1.5 {
			t.Errorf("channel %d is off by %.2f levels, want 1.5 at most", i, v)
		}
	}
}

// TestQuality compares both ways in which a size is made with imaging's Lanczos of the whole photo.
func TestQuality(t *testing.T) {
	if testing.Short() || testenv.Race {
		t.Skip("a 12 MP reference takes seconds")
	}
	src := phonePhoto(12)
	m, err := jpeg.Decode(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	full := m.(*image.YCbCr)
	info, err := door.Inspect(src, door.Standard)
	if err != nil {
		t.Fatal(err)
	}
	var r Renderer
	base, err := r.decodePhoto(t.Context(), src, info, r.scaleInEighths(info))
	if err != nil {
		t.Fatal(err)
	}
	c := renditionCascade{base: base, orientation: 1}
	for _, x := range []struct {
		side int
		want float64
	}{{1920, 39}, {1080, 50}, {640, 48}, {320, 48}} {
		p := c.makeSize(Size{Side: x.side}, info.Width, info.Height)
		coded, err := encodeJPEG(p, 100, "") // at quality 82 the encoder alone gives 40 dB
		if err != nil {
			t.Fatal(err)
		}
		w, h, got := brightnessOf(t, coded)
		want := phototest.ResizeLanczos(&image.Gray{Pix: full.Y, Stride: full.YStride, Rect: full.Rect}, w, h)
		db := phototest.PSNR(w*h, got, want)
		t.Logf("%d: %.1f dB", x.side, db)
		if db < x.want {
			t.Errorf("%d: %.1f dB from imaging, want %v", x.side, db, x.want)
		}
	}
}

func TestRenderEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, src := range [][]byte{
		phototest.EncodeJPEG(phototest.DrawScene(96, 64), 90),
		phototest.TaggedPNG(phototest.DrawScene(96, 64), 1, ""),
		phototest.TaggedGIF(phototest.DrawScene(96, 64), 1),
		phototest.Fixture("lossy.webp"),
	} {
		if _, err := (Renderer{}).Render(ctx, src); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	// ctx ends while the photo is read
	ctx, cancel = context.WithCancel(t.Context())
	from := contextReader{ctx, io.MultiReader(strings.NewReader("\xff\xd8"), readerFunc(func(b []byte) (int, error) { cancel(); b[0] = 0; return 1, nil }))}
	if _, err := jpeg.Decode(from); !errors.Is(err, context.Canceled) {
		t.Errorf("while it is read: got %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// panickingDecoder is a HEIC decoder that panics.
type panickingDecoder struct{}

func (panickingDecoder) Decode(context.Context, []byte) (image.Image, error) {
	panic("index out of range")
}

// grayDecoder decodes everything as a gray picture of 128x96.
type grayDecoder struct{}

func (grayDecoder) Decode(context.Context, []byte) (image.Image, error) {
	return image.NewYCbCr(image.Rect(0, 0, 128, 96), image.YCbCrSubsampleRatio420), nil
}

func TestHEIC(t *testing.T) {
	src := phototest.Fixture("phone.heic")
	if _, err := (Renderer{}).Render(t.Context(), src); !errors.Is(err, door.ErrKind) {
		t.Errorf("without a decoder: got %v", err)
	}
	if _, err := (Renderer{HEIC: panickingDecoder{}}).Render(t.Context(), src); !errors.Is(err, ErrUnreadable) {
		t.Errorf("with a panic: got %v", err)
	}
	r, err := Renderer{HEIC: grayDecoder{}}.Render(t.Context(), src)
	if err != nil || r.Width != 128 || r.Height != 96 {
		t.Errorf("got %dx%d, %v", r.Width, r.Height, err)
	}
	clean, err := Renderer{HEIC: grayDecoder{}}.ConvertToJPEG(t.Context(), src)
	if err != nil || !bytes.Contains(clean, []byte(phototest.DisplayP3())) {
		t.Errorf("converted: %d bytes, %v", len(clean), err)
	}
	info, err := door.Inspect(clean, door.Standard)
	if want := (door.Info{Kind: door.JPEG, Width: 128, Height: 96, Orientation: 1, Frames: 1, Scales: true, Decoded: info.Decoded}); err != nil || info != want {
		t.Errorf("converted: %+v, %v", info, err)
	}
}

func TestDamageInside(t *testing.T) {
	for name, src := range map[string][]byte{
		"JPEG": phototest.EncodeJPEG(phototest.DrawScene(400, 300), 90),
		"PNG":  phototest.TaggedPNG(phototest.DrawScene(400, 300), 1, ""),
		"GIF":  phototest.TaggedGIF(phototest.DrawScene(400, 300), 1),
		"WebP": phototest.Fixture("lossy.webp"),
	} {
		cut := src[:len(src)/2]
		if _, err := (Renderer{}).Render(t.Context(), cut); err == nil {
			t.Errorf("%s: half of it is a photo", name)
		}
	}
}

func TestRendersBombs(t *testing.T) {
	for name, src := range phototest.ImageBombs() {
		if strings.Contains(name, "MiB") || strings.Contains(name, "scans") {
			continue // harmless to a renderer, which does not inflate them; StripMetadata refuses them
		}
		if _, err := (Renderer{HEIC: grayDecoder{}}).Render(t.Context(), src); err == nil {
			t.Errorf("%s: rendered", name)
		}
	}
}

func FuzzRender(f *testing.F) {
	m := phototest.DrawScene(96, 64)
	f.Add(phototest.EncodeJPEG(m, 90))
	f.Add(phototest.JPEGShape{Sampling: [][2]int{{2, 2}, {1, 1}, {1, 1}}, Adobe: -1, Progressive: true}.Encode(96, 64, phototest.SamplesOf(m)))
	f.Add(phototest.TaggedPNG(m, 6, phototest.DisplayP3()))
	f.Add(phototest.TaggedGIF(m, 2))
	for _, name := range []string{"lossy.webp", "lossless.webp", "alpha.webp", "animated.webp"} {
		f.Add(phototest.TaggedWebP(name, 6, phototest.DisplayP3()))
	}
	limits := door.Limits{Bytes: 1 << 20, Scaled: 1 << 18, Pixels: 1 << 18, Decoded: 1 << 22, Animated: 1 << 24}
	f.Fuzz(func(t *testing.T, src []byte) {
		r, err := Renderer{Limits: limits}.Render(t.Context(), src)
		if err != nil {
			if strings.Contains(err.Error(), "panic") {
				t.Fatal(err)
			}
			return
		}
		for _, x := range r.Renditions {
			if _, err := jpeg.DecodeConfig(bytes.NewReader(x.JPEG)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
