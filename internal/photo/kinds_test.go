package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// The size of the test pictures: not multiples of a block, and more than one MCU of the largest kind in both
// directions.
const softW, softH = 70, 45

// softSample returns component c at x, y of a picture that looks the same at every sampling of colours.
func softSample(c, x, y int) byte {
	u, v := float64(x)/softW, float64(y)/softH
	return byte(128 + 60*math.Sin(2*u+float64(c)) + 50*math.Cos(2*v+2*float64(c)))
}

// stripPhoto inspects a photo and strips it, as uploads are.
func stripPhoto(src []byte) ([]byte, error) {
	info, err := door.Inspect(src, door.Standard)
	if err != nil {
		return nil, err
	}
	return door.StripMetadata(src, info)
}

// checkPromise checks what package door promises of a photo: if it is let in, it is rendered and looks like the
// expected picture to least dB; if not, the error is code. It reports whether the photo was let in.
func checkPromise(t *testing.T, name string, src []byte, like image.Image, code error, least ...float64) bool {
	t.Helper()
	clean, err := stripPhoto(src)
	if err != nil {
		if code == nil || !errors.Is(err, code) {
			t.Errorf("%s is refused with %v, want %v", name, err, code)
		}
		return false
	}
	r, err := Renderer{Sizes: []Size{{Side: 1920}, {Side: 24, Crop: true}}}.Render(t.Context(), clean)
	if err != nil || len(r.Renditions) != 2 {
		t.Errorf("%s is let in and not shown: %v", name, err)
		return true
	}
	got := decodeImage(t, r.Renditions[0].JPEG)
	if got.Bounds() != like.Bounds() {
		t.Errorf("%s is shown as %v, want %v", name, got.Bounds(), like.Bounds())
	} else if db := imagePSNR(got, like); db < append(least, 31)[0] {
		t.Errorf("%s is shown wrong: %.1f dB", name, db)
	}
	return true
}

// softPicture returns the picture whose samples softSample returns, n components of them, as RGB, brightness and
// colour, or gray.
func softPicture(n int, rgb bool) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, softW, softH))
	ycc := image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio444)
	for y := range softH {
		for x := range softW {
			i := y*softW + x
			ycc.Y[i], ycc.Cb[i], ycc.Cr[i] = softSample(0, x, y), softSample(1, x, y), softSample(2, x, y)
			copy(m.Pix[4*i:], []byte{softSample(0, x, y), softSample(1, x, y), softSample(2, x, y), 255})
		}
	}
	switch {
	case n == 1:
		return &image.Gray{Pix: ycc.Y, Stride: ycc.YStride, Rect: m.Rect}
	case rgb:
		return m
	}
	return ycc
}

// TestEverySamplingIsShownOrRefused goes through all samplings that a JPEG can have, in every way of writing them.
func TestEverySamplingIsShownOrRefused(t *testing.T) {
	testenv.SkipSequential(t)
	var factors [][2]int
	for h := 1; h <= 4; h++ {
		for v := 1; v <= 4; v++ {
			factors = append(factors, [2]int{h, v})
		}
	}
	ways := map[string]phototest.JPEGShape{
		"one scan":    {Adobe: -1},
		"restarts":    {Adobe: -1, RestartInterval: 2},
		"apart":       {Adobe: -1, ScanPerComponent: true},
		"progressive": {Adobe: -1, Progressive: true},
		"RGB":         {Adobe: 0},
		"RGB, apart":  {Adobe: 0, ScanPerComponent: true},
	}
	offer := func(way string, s phototest.JPEGShape, sampling ...[2]int) bool {
		s.Sampling, s.Quality = sampling, 97
		name := fmt.Sprint(way, " ", sampling)
		rgb := s.Adobe == 0
		// its headers decide whether it is let in; most are not, and need not be encoded
		if _, err := stripPhoto(jpegWithSampling(s)); err != nil {
			if !errors.Is(err, door.ErrCoding) {
				t.Errorf("%s is refused with %v", name, err)
			}
			return false
		}
		return checkPromise(t, name, s.Encode(softW, softH, softSample), softPicture(len(sampling), rgb), nil)
	}
	in := map[string]int{}
	for way, s := range ways {
		for _, y := range factors {
			if len(s.Sampling) == 0 && s.Adobe < 0 && offer(way, s, y) {
				in[way+", gray"]++
			}
			for _, cb := range factors {
				for _, cr := range factors {
					if offer(way, s, y, cb, cr) {
						in[way]++
						if cb == [2]int{1, 1} && cr == cb {
							in[way+", usual"]++
						}
					}
				}
			}
		}
	}
	t.Log(in)
	// the least that must be let in: what phones and editors write, so that a door which refuses everything fails
	for what, want := range map[string]int{
		"one scan, gray": 16, "restarts, gray": 16, "apart, gray": 16, "progressive, gray": 9,
		"one scan, usual": 12, "restarts, usual": 12, "progressive, usual": 8, "apart, usual": 8, "RGB, usual": 6, "one scan": 190,
	} {
		if in[what] < want {
			t.Errorf("%s: %d samplings are let in, want %d", what, in[what], want)
		}
	}
}

// jpegWithSampling returns a small JPEG of the shape whose headers claim its sampling, while its data is coded
// otherwise.
func jpegWithSampling(s phototest.JPEGShape) []byte {
	sampling := s.Sampling
	s.Sampling = make([][2]int, len(sampling))
	for i := range s.Sampling {
		s.Sampling[i] = [2]int{1, 1}
	}
	src := s.Encode(8, 8, softSample)
	frame := bytes.Index(src, []byte{0xFF, 0xC0, 0})
	if s.Progressive {
		frame = bytes.Index(src, []byte{0xFF, 0xC2, 0})
	}
	for i, f := range sampling {
		src[frame+11+3*i] = byte(f[0]<<4 | f[1])
	}
	return src
}

// TestEveryCodingIsShownOrRefused goes through the other ways in which a JPEG can be coded.
func TestEveryCodingIsShownOrRefused(t *testing.T) {
	testenv.SkipSequential(t)
	one, two := [2]int{1, 1}, [2]int{2, 2}
	full, usual := [][2]int{one, one, one}, [][2]int{two, one, one}
	make := func(s phototest.JPEGShape) []byte {
		s.Quality = 97
		return s.Encode(softW, softH, softSample)
	}
	ycc, rgb, gray := softPicture(3, false), softPicture(3, true), softPicture(1, false)
	negative := image.NewRGBA(ycc.Bounds()) // Adobe inverts what it converts to brightness and colours
	for i, v := range rgbRowsOf(ycc) {
		negative.Pix[i/3*4+i%3], negative.Pix[i/3*4+3] = 255-v, 255
	}
	ink := func(s phototest.JPEGShape) []byte { // Adobe's inks are inverted, so these are the colours themselves, without black
		s.Quality = 97
		return s.Encode(softW, softH, func(c, x, y int) byte {
			if c == 3 {
				return 255
			}
			return softSample(c, x, y)
		})
	}
	four := func(c, m, y, k [2]int) [][2]int { return [][2]int{c, m, y, k} }
	plain := make(phototest.JPEGShape{Sampling: usual, Adobe: -1})
	apart := make(phototest.JPEGShape{Sampling: full, Adobe: -1, ScanPerComponent: true})
	progressive := make(phototest.JPEGShape{Sampling: usual, Adobe: -1, Progressive: true})
	half := func(src []byte) []byte { // half of what follows the headers
		return append(bytes.Clone(src[:(len(src)+bytes.Index(src, []byte{0xFF, 0xDA}))/2]), 0xFF, 0xD9)
	}
	marked := func(src []byte, mark byte, also ...byte) []byte { // with another frame marker, and other bytes behind its length
		out := bytes.Clone(src)
		for _, m := range []byte{0xC0, 0xC2} {
			if at := bytes.Index(out, []byte{0xFF, m, 0}); at > 0 {
				out[at+1] = mark
				copy(out[at+4:], also)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		src  []byte
		like image.Image
		code error // nil if it must be let in
	}{
		"extended sequential":     {marked(plain, 0xC1), ycc, nil},
		"lossless":                {marked(plain, 0xC3), ycc, door.ErrCoding},
		"hierarchical":            {marked(plain, 0xC5), ycc, door.ErrCoding},
		"arithmetic":              {marked(plain, 0xC9), ycc, door.ErrCoding},
		"arithmetic, progressive": {marked(progressive, 0xCA), ycc, door.ErrCoding},
		"12 bits":                 {marked(plain, 0xC1, 12), ycc, door.ErrCoding},
		"12 bits, progressive":    {marked(progressive, 0xC2, 12), ycc, door.ErrCoding},
		"2 components":            {make(phototest.JPEGShape{Sampling: full[:2], Adobe: -1}), ycc, door.ErrCoding},
		"height told later":       {marked(plain, 0xC0, 8, 0, 0), ycc, door.ErrCoding},
		"RGB by name":             {make(phototest.JPEGShape{Sampling: full, Adobe: -1, ComponentNames: "RGB"}), rgb, nil},
		"RGB, progressive":        {make(phototest.JPEGShape{Sampling: full, Adobe: 0, Progressive: true}), rgb, nil},
		"two of one name":         {make(phototest.JPEGShape{Sampling: full, Adobe: -1, ComponentNames: "AAB"}), ycc, door.ErrBroken},
		"CMYK":                    {ink(phototest.JPEGShape{Sampling: four(one, one, one, one), Adobe: 0}), rgb, nil},
		"CMYK, apart":             {ink(phototest.JPEGShape{Sampling: four(one, one, one, one), Adobe: 0, ScanPerComponent: true}), rgb, nil},
		"CMYK, progressive":       {ink(phototest.JPEGShape{Sampling: four(two, one, one, two), Adobe: 0, Progressive: true}), rgb, nil},
		"CMYK, sampled":           {ink(phototest.JPEGShape{Sampling: four(two, one, one, two), Adobe: 0}), rgb, nil},
		"CMYK, sampled 2x1":       {ink(phototest.JPEGShape{Sampling: four([2]int{2, 1}, one, one, [2]int{2, 1}), Adobe: 0}), rgb, door.ErrCoding},
		"CMYK, black sampled":     {ink(phototest.JPEGShape{Sampling: four(two, two, two, one), Adobe: 0}), rgb, door.ErrCoding},
		"CMYK of nobody":          {ink(phototest.JPEGShape{Sampling: four(one, one, one, one), Adobe: -1}), ycc, door.ErrCoding},
		"YCCK":                    {ink(phototest.JPEGShape{Sampling: four(two, one, one, two), Adobe: 2}), negative, nil},
		"gray, restarts":          {make(phototest.JPEGShape{Sampling: full[:1], Adobe: -1, RestartInterval: 1}), gray, nil},
		"no tables":               {withoutSegments(plain, 0xC4), ycc, nil},
		"no tables, gray":         {withoutSegments(make(phototest.JPEGShape{Sampling: full[:1], Adobe: -1}), 0xC4), gray, nil},
		"no tables, in scans":     {withoutSegments(apart, 0xC4), ycc, nil},
		"no tables, RGB":          {withoutSegments(make(phototest.JPEGShape{Sampling: full, Adobe: 0}), 0xC4), rgb, nil},
		"no tables, progressive":  {withoutSegments(progressive, 0xC4), ycc, door.ErrCoding},
		"no quantisers":           {withoutSegments(plain, 0xDB), ycc, door.ErrBroken},
		"no quantisers, in scans": {withoutSegments(apart, 0xDB), ycc, door.ErrBroken},
		"no end":                  {plain[:len(plain)-2], ycc, door.ErrShort},
		"colours missing":         {append(bytes.Clone(apart[:bytes.LastIndex(apart, []byte{0xFF, 0xDA})]), 0xFF, 0xD9), ycc, door.ErrShort},
	} {
		if in := checkPromise(t, name, c.src, c.like, c.code); in != (c.code == nil) {
			t.Errorf("%s is let in: %v", name, in)
		}
	}
	// a file that was cut in the middle and got an end marker is shown up to there
	for name, src := range map[string][]byte{"one scan": plain, "restarts": make(phototest.JPEGShape{Sampling: full, Adobe: -1, RestartInterval: 3}), "gray": make(phototest.JPEGShape{Sampling: full[:1], Adobe: -1})} {
		clean, err := stripPhoto(half(src))
		if err != nil {
			t.Errorf("half of %s: %v", name, err)
			continue
		}
		r := renderPhoto(t, clean)
		_, h, at := brightnessOf(t, r.Renditions[0].JPEG)
		if first, want := at(softW/2), float64(softSample(0, softW/2, 0)); math.Abs(first-want) > 12 {
			t.Errorf("half of %s begins with %v, want %v", name, first, want)
		}
		if last := at((h-1)*softW + softW/2); math.Abs(last-128) > 3 {
			t.Errorf("half of %s ends with %v, want gray", name, last)
		}
	}
}

// withoutSegments returns a JPEG that lacks the segments of a marker.
func withoutSegments(src []byte, marker byte) []byte {
	out := bytes.Clone(src[:2])
	for at := 2; ; {
		size := 2 + int(src[at+2])<<8 + int(src[at+3])
		if src[at+1] != marker {
			out = append(out, src[at:at+size]...)
		}
		at += size
		if src[at-size+1] == 0xDA {
			// the scan's data, up to the next segment of another kind
			next := at
			for next+1 < len(src) && (src[next] != 0xFF || src[next+1] == 0 || src[next+1]&0xF8 == 0xD0 && src[next+1] < 0xD8) {
				next++
			}
			out = append(out, src[at:next]...)
			at = next
		}
		if src[at+1] == 0xD9 {
			return append(out, src[at:]...)
		}
	}
}
