package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestEveryPNGIsShownOrRefused goes through all depths and colour types, also those that do not exist.
func TestEveryPNGIsShownOrRefused(t *testing.T) {
	testenv.SkipSequential(t)
	for kind := byte(0); kind < 8; kind++ {
		for _, depth := range []byte{0, 1, 2, 3, 4, 8, 12, 16} {
			for _, interlaced := range []bool{false, true} {
				exists := map[byte]string{0: "1 2 4 8 16", 2: "8 16", 3: "1 2 4 8", 4: "8 16", 6: "8 16"}[kind]
				name := fmt.Sprintf("colour %d of %d bits, interlaced %v", kind, depth, interlaced)
				most := 1<<depth - 1
				sample := func(c, x, y int) int {
					if kind == 4 && c == 1 || c == 3 {
						return x * most / softW // less and less transparent
					}
					return int(softSample(c, x, y)) * most / 255
				}
				like := image.NewRGBA(image.Rect(0, 0, softW, softH))
				for i := range softW * softH {
					x, y := i%softW, i/softW
					for c := range 3 {
						from, v := c, 255
						if kind&2 == 0 || kind == 3 {
							from = 0
						}
						if most > 0 {
							v = sample(from, x, y) * 255 / most
						}
						if kind&4 > 0 {
							v = 255 - (255-v)*x/softW
						}
						like.Pix[4*i+c] = byte(v)
					}
					like.Pix[4*i+3] = 255
				}
				table := ""
				if kind == 3 {
					var grays []byte
					for i := range min(most+1, 256) {
						v := byte(i * 255 / max(most, 1))
						grays = append(grays, v, v, v)
					}
					table = phototest.PNGChunk("PLTE", string(grays))
				}
				var code error
				if !strings.Contains(" "+exists+" ", fmt.Sprintf(" %d ", depth)) {
					code = door.ErrCoding
				}
				if in := checkPromise(t, name, phototest.EncodeRawPNG(softW, softH, depth, kind, interlaced, table, sample), like, code, 26); in != (code == nil) {
					t.Errorf("%s is let in: %v", name, in)
				}
			}
		}
	}
}

// TestPNGsOfOddParts: we show files that other decoders read and image/png alone refuses.
func TestPNGsOfOddParts(t *testing.T) {
	like := softPicture(3, true)
	sample := func(c, x, y int) int {
		if c == 3 {
			return 255
		}
		return int(softSample(c, x, y))
	}
	table := phototest.PNGChunk("PLTE", strings.Repeat("abc", 256))
	opaque := strings.Repeat("\x00", 2)
	raw := func(kind byte, before string) []byte {
		return phototest.EncodeRawPNG(softW, softH, 8, kind, false, before, sample)
	}
	plain := raw(2, "")
	data := bytes.Index(plain, []byte("IDAT")) - 4
	pixels := string(plain[data+8 : len(plain)-12-4])
	split := string(plain[:data]) + phototest.PNGChunk("IDAT", pixels[:200]) + phototest.PNGChunk("pHYs", strings.Repeat("\x01", 9)) + phototest.PNGChunk("IDAT", pixels[200:]) + phototest.PNGChunk("IEND", "")
	frame := func(n int) string {
		return phototest.PNGChunk("fcTL", "\x00\x00\x00"+string(rune(n))+"\x00\x00\x00\x46\x00\x00\x00\x2d"+strings.Repeat("\x00", 8)+"\x00\x01\x00\x0a\x00\x00")
	}
	control := phototest.PNGChunk("acTL", "\x00\x00\x00\x02\x00\x00\x00\x00")
	later := frame(1) + phototest.PNGChunk("fdAT", "\x00\x00\x00\x02"+pixels)
	animated := func(first string) []byte {
		return []byte(string(plain[:data]) + control + first + string(plain[data:len(plain)-12]) + later + string(plain[len(plain)-12:]))
	}
	gray := softPicture(1, false)
	for name, c := range map[string]struct {
		src  []byte
		like image.Image
		code error
	}{
		"a palette of gray":             {raw(0, table), gray, nil},
		"a palette nobody needs":        {raw(2, table), like, nil},
		"transparency twice":            {raw(6, phototest.PNGChunk("tRNS", opaque)), like, nil},
		"a transparent gray":            {raw(0, phototest.PNGChunk("tRNS", "\x00\x01")), gray, nil},
		"pixels in pieces":              {[]byte(split), like, nil},
		"an animation":                  {animated(frame(0)), like, nil},
		"an animation after a picture":  {animated(""), like, nil},
		"an animation of 5000 frames":   {animated(strings.Repeat(frame(0), 5000)), like, nil},
		"no palette":                    {raw(3, ""), like, door.ErrBroken},
		"a palette of two and a half":   {raw(3, phototest.PNGChunk("PLTE", "abcabca")), like, door.ErrBroken},
		"a palette behind transparency": {raw(3, phototest.PNGChunk("tRNS", "\x01")+table), like, door.ErrBroken},
		"two palettes":                  {raw(3, table+table), like, door.ErrBroken},
		"transparency of a wrong size":  {raw(2, phototest.PNGChunk("tRNS", "\x01")), like, door.ErrBroken},
	} {
		if in := checkPromise(t, name, c.src, c.like, c.code); in != (c.code == nil) {
			t.Errorf("%s is let in: %v", name, in)
		}
		if clean, _ := stripPhoto(c.src); bytes.Contains(clean, []byte("acTL")) || bytes.Contains(clean, []byte("fdAT")) {
			t.Errorf("%s is still animated", name)
		}
	}
}

// placeOnCanvas returns a white picture of w x h with m at x, y.
func placeOnCanvas(m image.Image, w, h, x, y int) image.Image {
	canvas := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(canvas, canvas.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(canvas, m.Bounds().Sub(m.Bounds().Min).Add(image.Pt(x, y)), m, m.Bounds().Min, draw.Over)
	return canvas
}

func TestEveryGIFIsShownOrRefused(t *testing.T) {
	testenv.SkipSequential(t)
	grays := color.Palette{color.RGBA{}}
	for i := range 255 {
		grays = append(grays, color.Gray{uint8(i)})
	}
	picture := func(at image.Point, p color.Palette) *image.Paletted {
		m := image.NewPaletted(image.Rect(0, 0, softW, softH).Add(at), p)
		draw.Draw(m, m.Rect, softPicture(1, false), image.Point{}, draw.Src)
		return m
	}
	coded := func(g gif.GIF) []byte {
		for range g.Image {
			g.Delay = append(g.Delay, 10)
		}
		var b bytes.Buffer
		if err := gif.EncodeAll(&b, &g); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	whole, part := picture(image.Point{}, grays), picture(image.Pt(21, 11), grays)
	holed := picture(image.Point{}, grays)
	for i := range holed.Pix {
		if i%softW < 10 {
			holed.Pix[i] = 0 // transparent
		}
	}
	plain := coded(gif.GIF{Image: []*image.Paletted{whole}})
	old := append([]byte("GIF87a"), plain[6:]...)
	tables := func(src []byte) []byte { // removes all palettes
		g := bytes.Clone(src)
		at := bytes.IndexByte(g[13:], ',') + 13
		size := 3 << (g[at+9]&7 + 1)
		g[at+9] &^= 0x87
		return append(g[:at+10], g[at+10+size:]...)
	}
	inLocal := coded(gif.GIF{Image: []*image.Paletted{whole}, Config: image.Config{Width: softW, Height: softH}})
	bits := bytes.Clone(inLocal)
	at := bytes.IndexByte(bits[13:], ',') + 13
	bits[at+10+3<<(bits[at+9]&7+1)] = 11
	like := softPicture(1, false)
	for name, c := range map[string]struct {
		src  []byte
		like image.Image
		code error
	}{
		"a picture":             {plain, like, nil},
		"of 1987":               {old, like, nil},
		"on a canvas":           {coded(gif.GIF{Image: []*image.Paletted{part}, Config: image.Config{Width: 120, Height: 90}}), placeOnCanvas(like, 120, 90, 21, 11), nil},
		"animated, on a canvas": {coded(gif.GIF{Image: []*image.Paletted{part, whole}, Config: image.Config{Width: 120, Height: 90}}), placeOnCanvas(like, 120, 90, 21, 11), nil},
		"transparent":           {coded(gif.GIF{Image: []*image.Paletted{holed}}), placeOnCanvas(holed, softW, softH, 0, 0), nil},
		"without tables":        {tables(inLocal), like, door.ErrBroken},
		"of 11 bits":            {bits, like, door.ErrBroken},
	} {
		if in := checkPromise(t, name, c.src, c.like, c.code, 29); in != (c.code == nil) {
			t.Errorf("%s is let in: %v", name, in)
		}
	}
}

func TestEveryWebPIsShownOrRefused(t *testing.T) {
	testenv.SkipSequential(t)
	scene := phototest.DrawScene(96, 64)
	body := func(fixture string) string { // the chunks from its first picture on
		src := string(phototest.Fixture(fixture))
		for at := 12; ; {
			size := int(src[at+4]) | int(src[at+5])<<8
			if name := src[at : at+4]; name == "VP8 " || name == "VP8L" || name == "ALPH" {
				return src[at:]
			}
			at += 8 + size + size%2
		}
	}
	three := func(v int) string { return string([]byte{byte(v), byte(v >> 8), byte(v >> 16)}) }
	canvas := func(flags byte, w, h int) string {
		return phototest.RIFFChunk("VP8X", string([]byte{flags, 0, 0, 0})+three(w-1)+three(h-1))
	}
	frame := func(x, y, w, h int, picture string) string {
		return phototest.RIFFChunk("ANMF", three(x/2)+three(y/2)+three(w-1)+three(h-1)+three(100)+"\x00"+picture)
	}
	webp := func(chunks ...string) []byte {
		return []byte(phototest.RIFFChunk("RIFF", "WEBP"+strings.Join(chunks, "")))
	}
	anim := phototest.RIFFChunk("ANIM", "\xff\xff\xff\xff\x00\x00")
	lossy, lossless, alpha := body("lossy.webp"), body("lossless.webp"), body("alpha.webp")
	small := decodeImage(t, renderPhoto(t, phototest.Fixture("lossless.webp")).Renditions[0].JPEG)
	clear := decodeImage(t, renderPhoto(t, phototest.Fixture("alpha.webp")).Renditions[0].JPEG)
	without := alpha[strings.Index(alpha, "VP8 "):]
	opaque := decodeImage(t, renderPhoto(t, webp(without)).Renditions[0].JPEG)
	for name, c := range map[string]struct {
		src  []byte
		like image.Image
		code error
	}{
		"lossy":                            {webp(lossy), scene, nil},
		"lossless":                         {webp(lossless), small, nil},
		"with alpha":                       {webp(canvas(0x10, 96, 64), alpha), clear, nil},
		"alpha that is not announced":      {webp(canvas(0, 96, 64), alpha), clear, nil},
		"alpha announced and not there":    {webp(canvas(0x10, 96, 64), lossy), scene, nil},
		"alpha without a canvas":           {webp(alpha), opaque, nil},
		"alpha of a lossless one":          {webp(canvas(0x10, 32, 22), phototest.RIFFChunk("ALPH", "\x00"), lossless), small, nil},
		"alpha of no known kind":           {webp(canvas(0x10, 96, 64), phototest.RIFFChunk("ALPH", "\x03"), lossy), scene, door.ErrBroken},
		"alpha that is short":              {webp(canvas(0x10, 96, 64), phototest.RIFFChunk("ALPH", "\x00abc"), lossy), scene, door.ErrBroken},
		"two pictures":                     {webp(canvas(0, 96, 64), lossy, lossy), scene, nil},
		"a canvas that is larger":          {webp(canvas(0, 200, 100), lossy), scene, door.ErrBroken},
		"animated":                         {webp(canvas(2, 96, 64), anim, frame(0, 0, 96, 64, lossy), frame(0, 0, 32, 22, lossless)), scene, nil},
		"animated, a part first":           {webp(canvas(2, 140, 101), anim, frame(20, 10, 96, 64, lossy), frame(0, 0, 32, 22, lossless)), placeOnCanvas(scene, 140, 101, 20, 10), nil},
		"animated, lossless part first":    {webp(canvas(0x12, 140, 101), anim, frame(20, 10, 32, 22, lossless), frame(0, 0, 96, 64, lossy)), placeOnCanvas(small, 140, 101, 20, 10), nil},
		"animated, see-through part":       {webp(canvas(0x12, 140, 101), anim, frame(20, 10, 96, 64, alpha)), placeOnCanvas(clear, 140, 101, 20, 10), nil},
		"animated, beside its canvas":      {webp(canvas(2, 100, 64), anim, frame(20, 0, 96, 64, lossy)), scene, door.ErrBroken},
		"of a version that does not exist": {webp(lossless[:12] + string([]byte{lossless[12] | 0xE0}) + lossless[13:]), small, door.ErrCoding},
	} {
		if in := checkPromise(t, name, c.src, c.like, c.code, 27); in != (c.code == nil) {
			t.Errorf("%s is let in: %v", name, in)
		}
	}
}

// TestTurnedByXMPAlone: an orientation in XMP is kept as one in EXIF is; EXIF wins where both have one.
func TestTurnedByXMPAlone(t *testing.T) {
	m := phototest.DrawScene(64, 48)
	jpeg, png := phototest.EncodeJPEG(m, 90), phototest.TaggedPNG(m, 1, "")
	ihdr := 8 + 12 + 13
	bare := string(png[:ihdr]) + string(png[bytes.Index(png, []byte("IDAT"))-4:])
	lossy := string(phototest.Fixture("lossy.webp")[12:])
	vp8x := func(flags byte) string {
		return phototest.RIFFChunk("VP8X", string([]byte{flags, 0, 0, 0, 95, 0, 0, 63, 0, 0}))
	}
	files := func(xmp, tiff string) map[string][]byte {
		jpegs, pngs, packed, webps := "", "", "", ""
		if tiff != "" {
			jpegs, webps = phototest.JPEGSegment(0xE1, "Exif\x00\x00"+tiff), phototest.RIFFChunk("EXIF", tiff)
			pngs = phototest.PNGChunk("eXIf", tiff)
			packed = pngs
		}
		if xmp != "" {
			jpegs += phototest.JPEGSegment(0xE1, "http://ns.adobe.com/xap/1.0/\x00"+xmp)
			webps += phototest.RIFFChunk("XMP ", xmp)
			pngs += phototest.PNGChunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+xmp)
			packed += phototest.PNGChunk("iTXt", "XML:com.adobe.xmp\x00\x01\x00\x00\x00"+phototest.Deflate(strings.NewReader(xmp)))
		}
		return map[string][]byte{
			"JPEG":            []byte("\xff\xd8" + jpegs + string(jpeg[2:])),
			"PNG":             []byte(bare[:ihdr] + pngs + bare[ihdr:]),
			"PNG, compressed": []byte(bare[:ihdr] + packed + bare[ihdr:]),
			"WebP":            []byte(phototest.RIFFChunk("RIFF", "WEBP"+vp8x(0x0C)+lossy+webps)),
		}
	}
	packet := func(format string, o int) string {
		return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description ` + fmt.Sprintf(format, o) + `</x:xmpmeta>`
	}
	for o := 1; o <= 8; o++ {
		want := files("", phototest.PhoneTIFF(o))
		for _, format := range []string{`tiff:Orientation="%d"/>`, `tiff:Orientation = '%d' />`, `><tiff:Orientation>%d</tiff:Orientation>`} {
			both := files(packet(format, o), phototest.PhoneTIFF(9-o))
			for name, src := range files(packet(format, o), "") {
				info, err := door.Inspect(src, door.Standard)
				if err != nil || info.Orientation != o {
					t.Errorf("%s, %s of %d: orientation %d, %v", name, format, o, info.Orientation, err)
				}
				got, _ := stripPhoto(src)
				if exif, err := stripPhoto(want[name]); err != nil || !bytes.Equal(got, exif) {
					t.Errorf("%s, %s of %d: it is not kept as if EXIF said so, %v", name, format, o, err)
				}
				if info, err := door.Inspect(both[name], door.Standard); err != nil || info.Orientation != 9-o {
					t.Errorf("%s, %s of %d and EXIF of %d: orientation %d, %v", name, format, o, 9-o, info.Orientation, err)
				}
			}
		}
	}
	for _, wrong := range []string{packet(`tiff:Orientation="%d"/>`, 0), packet(`tiff:Orientation="%d"/>`, 9), packet(`tiff:Orientation="%d"/>`, 61), "tiff:Orientation=", "tiff:Orientation=\"6"} {
		for name, src := range files(wrong, "") {
			if info, err := door.Inspect(src, door.Standard); err != nil || info.Orientation != 1 {
				t.Errorf("%s with %q: orientation %d, %v", name, wrong, info.Orientation, err)
			}
		}
	}
}

// TestLargeProfilesStay: a profile of several segments, in whatever order these came, is in all renditions.
func TestLargeProfilesStay(t *testing.T) {
	for _, size := range []int{65519, 65520, 200_000, 1 << 20} {
		profile := phototest.LargeProfile(size)
		parts := []string{}
		for at := 0; at < size; at += 60_000 {
			parts = append(parts, profile[at:min(at+60_000, size)])
		}
		segments := ""
		for i := range parts {
			n := (i*3 + 1) % len(parts) // an arbitrary order
			if len(parts)%3 == 0 {
				n = len(parts) - 1 - i
			}
			segments += phototest.JPEGSegment(0xE2, "ICC_PROFILE\x00"+string([]byte{byte(n + 1), byte(len(parts))})+parts[n])
		}
		m := phototest.DrawScene(64, 48)
		jpeg := phototest.EncodeJPEG(m, 90)
		for name, src := range map[string][]byte{
			"JPEG": []byte("\xff\xd8" + segments + string(jpeg[2:])),
			"PNG":  phototest.TaggedPNG(m, 1, profile),
			"WebP": phototest.TaggedWebP("lossy.webp", 1, profile),
		} {
			clean, err := stripPhoto(src)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range renderPhoto(t, clean).Renditions {
				info, err := door.Inspect(x.JPEG, door.Standard)
				if err != nil {
					t.Fatal(err)
				}
				if got := door.ColorProfile(x.JPEG, info); string(got) != profile {
					t.Errorf("%s of %d bytes, %s: a profile of %d bytes", name, size, x.ThumbName(), len(got))
				}
				decodeImage(t, x.JPEG)
			}
		}
	}
}
