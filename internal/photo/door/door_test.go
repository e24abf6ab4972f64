package door

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	_ "golang.org/x/image/webp"

	"github.com/doubletap/doubletap/internal/photo/phototest"
)

const w, h = 96, 64

var testScene = phototest.DrawScene(w, h)

// photoFiles returns photos of every kind with everything that a phone or an editor adds.
func photoFiles(orientation int) map[string][]byte {
	p3 := phototest.DisplayP3()
	one := [2]int{1, 1}
	shape := func(s phototest.JPEGShape) []byte {
		if s.Adobe == 0 && s.ComponentNames == "" && len(s.Sampling) == 3 {
			s.Adobe = -1
		}
		b := s.Encode(w, h, func(c, x, y int) byte { return byte(c*40 + x + y) })
		return phototest.PhoneJPEG(b, orientation, p3, true)
	}
	gray := &image.Gray{Pix: testScene.Y, Stride: testScene.YStride, Rect: testScene.Rect}
	deep := image.NewNRGBA64(testScene.Rect)
	for y := range h {
		for x := range w {
			deep.Set(x, y, testScene.At(x, y))
		}
	}
	return map[string][]byte{
		"JPEG":              phototest.PhoneJPEG(phototest.EncodeJPEG(testScene, 90), orientation, p3, false),
		"JPEG, XMP first":   phototest.PhoneJPEG(phototest.EncodeJPEG(testScene, 90), orientation, p3, true),
		"JPEG, gray":        phototest.PhoneJPEG(phototest.EncodeJPEG(gray, 90), orientation, "", false),
		"JPEG, 4:4:4":       shape(phototest.JPEGShape{Sampling: [][2]int{one, one, one}, RestartInterval: 2}),
		"JPEG, progressive": shape(phototest.JPEGShape{Sampling: [][2]int{{2, 2}, one, one}, Progressive: true}),
		"JPEG, CMYK":        shape(phototest.JPEGShape{Sampling: [][2]int{one, one, one, one}, Adobe: 2}),
		"JPEG, in scans":    shape(phototest.JPEGShape{Sampling: [][2]int{one, one, one}, ScanPerComponent: true}),
		"PNG":               phototest.TaggedPNG(testScene, orientation, p3),
		"PNG, alpha":        phototest.TaggedPNG(phototest.CutOutDisc(testScene), orientation, p3),
		"PNG, 16 bits":      phototest.TaggedPNG(deep, orientation, p3),
		"PNG, gray":         phototest.TaggedPNG(gray, orientation, ""),
		"WebP":              phototest.TaggedWebP("lossy.webp", orientation, p3),
		"WebP, lossless":    phototest.TaggedWebP("lossless.webp", orientation, p3),
		"WebP, alpha":       phototest.TaggedWebP("alpha.webp", orientation, p3),
		"WebP, animated":    phototest.TaggedWebP("animated.webp", orientation, p3),
		"GIF":               phototest.TaggedGIF(testScene, 1),
		"GIF, animated":     phototest.TaggedGIF(testScene, 3),
	}
}

func TestOpen(t *testing.T) {
	for name, src := range photoFiles(6) {
		info, err := Inspect(src, Standard)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		kind, detail, _ := strings.Cut(name, ", ")
		want := Info{Kind: Kind(strings.ToLower(kind)), Width: w, Height: h, Orientation: 6, Frames: 1, Decoded: info.Decoded}
		switch detail {
		case "gray":
			want.Gray = true
		case "animated":
			want.Frames = map[string]int{"GIF": 3, "WebP": 2}[kind]
		case "lossless":
			want.Width, want.Height = 32, 22
		}
		if kind == "GIF" {
			want.Orientation = 1
		}
		want.Scales = kind == "JPEG" && detail != "progressive" && detail != "CMYK" && detail != "in scans"
		if info != want {
			t.Errorf("%s: got %+v, want %+v", name, info, want)
		}
		if info.Decoded <= 0 {
			t.Errorf("%s: decoded in %d bytes", name, info.Decoded)
		}
	}
	info, err := Inspect(phototest.Fixture("phone.heic"), Standard)
	if want := (Info{Kind: HEIC, Width: 128, Height: 96, Orientation: 1, Frames: 1, Decoded: info.Decoded}); info != want || err != nil {
		t.Errorf("HEIC: got %+v, %v, want %+v", info, err, want)
	}
	if p := ColorProfile(phototest.Fixture("phone.heic"), info); string(p) != phototest.DisplayP3() {
		t.Errorf("HEIC: a profile of %d bytes", len(p))
	}
}

func TestStripLeavesThePicture(t *testing.T) {
	for o := 1; o <= 8; o++ {
		for name, src := range photoFiles(o) {
			info, err := Inspect(src, Standard)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			clean, err := StripMetadata(src, info)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, secret := range append(phototest.Secrets, "II*\x00") {
				if bytes.Contains(clean, []byte(secret)) {
					t.Errorf("%s: %q is still in it", name, secret)
				}
			}
			if again, err := Inspect(clean, Standard); err != nil || again != info {
				t.Errorf("%s: opened again %+v, %v, want %+v", name, again, err, info)
			}
			if twice, err := StripMetadata(clean, info); err != nil || !bytes.Equal(twice, clean) {
				t.Errorf("%s: stripped twice it is another file, %v", name, err)
			}
			if !bytes.Equal(ColorProfile(clean, info), ColorProfile(src, info)) {
				t.Errorf("%s: the profile is another", name)
			}
			if !info.Gray && info.Kind != GIF && string(ColorProfile(clean, info)) != phototest.DisplayP3() {
				t.Errorf("%s: the profile is gone", name)
			}
			if strings.HasSuffix(name, "animated") && info.Kind == WebP {
				clean, _, _ = FirstFrame(clean)
				src, _, _ = FirstFrame(src)
			}
			checkSamePicture(t, name, clean, src)
		}
	}
}

// checkSamePicture requires that both files decode to the same picture, to the bit.
func checkSamePicture(t *testing.T, name string, a, b []byte) {
	t.Helper()
	x, _, err := image.Decode(bytes.NewReader(a))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	y, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Errorf("%s, as it was: %v", name, err)
		return
	}
	if fmt.Sprint(x) != fmt.Sprint(y) {
		t.Errorf("%s: the picture is another", name)
	}
}

func TestStripKeepsWhatIsClean(t *testing.T) {
	for name, src := range map[string][]byte{
		"JPEG": phototest.EncodeJPEG(testScene, 90),
		"WebP": phototest.Fixture("lossy.webp"),
	} {
		info, err := Inspect(src, Standard)
		if err != nil {
			t.Fatal(err)
		}
		if clean, err := StripMetadata(src, info); err != nil || &clean[0] != &src[0] {
			t.Errorf("%s: a copy, %v", name, err)
		}
	}
}

// TestStripDropsTheSmallPicture: a JFIF can carry a thumbnail, which shows what was cropped away.
func TestStripDropsTheSmallPicture(t *testing.T) {
	const small = "rgbrgbrgbrgb"
	src := phototest.EncodeJPEG(testScene, 90)
	src = append([]byte("\xff\xd8"+phototest.JPEGSegment(0xE0, "JFIF\x00\x01\x02\x01\x00\x48\x00\x48\x02\x02"+small)+phototest.JPEGSegment(0xE0, "JFXX\x00\x10"+small)), src[2:]...)
	info, err := Inspect(src, Standard)
	if err != nil {
		t.Fatal(err)
	}
	clean, err := StripMetadata(src, info)
	if err != nil || bytes.Contains(clean, []byte(small)) || !bytes.Contains(clean, []byte("JFIF\x00\x01\x02\x01\x00\x48\x00\x48\x00\x00")) {
		t.Errorf("got %q, %v", clean[:60], err)
	}
}

func TestTruncated(t *testing.T) {
	all := photoFiles(6)
	all["HEIC"] = phototest.Fixture("phone.heic")
	for name, src := range all {
		info, err := Inspect(src, Standard)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := StripMetadata(src, info)
		if info.Kind == HEIC {
			whole, err = src, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(whole); n += 1 + n/100 {
			cut := whole[:n]
			info, err := Inspect(cut, Standard)
			if err == nil && info.Kind != HEIC {
				_, err = StripMetadata(cut, info)
			}
			var refusal *Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("%s: %d of %d bytes: %v", name, n, len(whole), err)
			}
			if n > len(whole)/2 && refusal != ErrShort {
				t.Fatalf("%s: %d of %d bytes: %v, want %v", name, n, len(whole), err, ErrShort)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	src := phototest.TaggedPNG(testScene, 1, "")
	src[bytes.Index(src, []byte("IDAT"))+30] ^= 1
	info, err := Inspect(src, Standard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := StripMetadata(src, info); !errors.Is(err, ErrBroken) || err.Error() != "This file is damaged: a checksum is wrong." {
		t.Errorf("a flipped bit in a PNG: %v", err)
	}
	for name, c := range map[string]struct {
		src  string
		want error
	}{
		"nothing":      {"", ErrShort},
		"SVG":          {"<svg xmlns='http://www.w3.org/2000/svg'/>", ErrKind},
		"AVIF":         {"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1avifmiaf", ErrKind},
		"MP4":          {"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", ErrKind},
		"TIFF":         {"II*\x00\x08\x00\x00\x00", ErrKind},
		"JPEG, empty":  {"\xff\xd8\xff\xd9", ErrShort},
		"JPEG, 12-bit": {"\xff\xd8\xff\xc1\x00\x0b\x0c\x00\x10\x00\x10\x01\x01\x11\x00", ErrCoding},
	} {
		if _, err := Inspect([]byte(c.src), Standard); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// TestBombs inspects every bomb, four at a time, and requires that each is refused within 20 MB. It logs how long
// that takes: far below 50 ms on an idle machine.
func TestBombs(t *testing.T) {
	for name, src := range phototest.ImageBombs() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		best := time.Hour // of three attempts
		for range 3 {
			start := time.Now()
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					info, err := Inspect(src, Standard)
					if err == nil {
						_, err = StripMetadata(src, info)
					}
					var refusal *Refusal
					if !errors.As(err, &refusal) || errors.Is(err, ErrConvert) {
						t.Errorf("%s: let in as %+v, %v", name, info, err)
					}
				})
			}
			all.Wait()
			best = min(best, time.Since(start))
		}
		runtime.ReadMemStats(&after)
		if grown := (after.TotalAlloc - before.TotalAlloc) / 3; grown > 20<<20 {
			t.Errorf("%s: %d MB", name, grown>>20)
		}
		t.Logf("%s: %v", name, best)
	}
}

// TestOpenAllocatesNothing: Inspect allocates nothing of note; the loops over headers make no garbage.
func TestOpenAllocatesNothing(t *testing.T) {
	for name, src := range photoFiles(6) {
		if n := testing.AllocsPerRun(20, func() { Inspect(src, Standard) }); n > 2 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestDamage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 9))
	all := photoFiles(6)
	all["HEIC"] = phototest.Fixture("phone.heic")
	for _, src := range all {
		for range 200 {
			bad := bytes.Clone(src)
			for range 1 + rnd.IntN(8) {
				bad[rnd.IntN(min(len(bad), 1500))] = byte(rnd.Uint32())
			}
			checkAdmitted(t, bad)
		}
	}
}

// checkAdmitted inspects and strips src, and requires that a photo that is let in is let in again after it is
// stripped.
func checkAdmitted(t *testing.T, src []byte) {
	t.Helper()
	info, err := Inspect(src, Standard)
	if err != nil {
		return
	}
	ColorProfile(src, info)
	FirstFrame(src)
	if info.Kind == HEIC {
		return
	}
	clean, err := StripMetadata(src, info)
	if err != nil {
		return
	}
	if again, err := Inspect(clean, Standard); err != nil || again.Width != info.Width || again.Height != info.Height || again.Orientation != info.Orientation {
		t.Fatalf("stripped it is %+v, %v; before %+v", again, err, info)
	}
	if twice, err := StripMetadata(clean, info); err != nil || !bytes.Equal(twice, clean) {
		t.Fatalf("stripped twice it is another file: %v", err)
	}
}

func FuzzDoor(f *testing.F) {
	for _, src := range photoFiles(6) {
		f.Add(src)
	}
	f.Add(phototest.Fixture("phone.heic"))
	f.Add(phototest.Fixture("tiles.heic"))
	f.Fuzz(func(t *testing.T, src []byte) { checkAdmitted(t, src) })
}

func FuzzOrientation(f *testing.F) {
	f.Add([]byte(phototest.PhoneTIFF(6)))
	f.Add([]byte(orientationTIFF(3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o := orientationOfTIFF(b); o < 0 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
	})
}

func BenchmarkDoor(b *testing.B) {
	src := phototest.PhoneJPEG(phototest.EncodeJPEG(phototest.DrawScene(4032, 3024), 92), 6, phototest.DisplayP3(), false)
	b.SetBytes(int64(len(src)))
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			Inspect(src, Standard)
		}
	})
	info, _ := Inspect(src, Standard)
	b.Run("strip", func(b *testing.B) {
		for b.Loop() {
			StripMetadata(src, info)
		}
	})
}
