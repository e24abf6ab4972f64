package phototest

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"strings"
)

// TaggedPNG returns m as a PNG with everything that must be removed: EXIF, plain and compressed texts, a date, a file
// behind the picture.
func TaggedPNG(m image.Image, orientation int, profile string) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	const head = 8 + 12 + 13 // signature and IHDR
	out := string(b.Bytes()[:head])
	if profile != "" {
		out += PNGChunk("iCCP", "P3\x00\x00"+Deflate(strings.NewReader(profile)))
	}
	out += PNGChunk("tEXt", "Comment\x00"+PhotoComment) + PNGChunk("zTXt", "Model\x00\x00"+Deflate(strings.NewReader(CameraModel)))
	out += PNGChunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+EditorXMP()) + PNGChunk("eXIf", PhoneTIFF(orientation)) + PNGChunk("tIME", "\x07\xea\x0b\x15\x08\x00\x00")
	return []byte(out + string(b.Bytes()[head:]) + TrailingFile)
}

// PNGChunk returns a PNG chunk.
func PNGChunk(name, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, name+data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// Deflate returns r in zlib's format.
func Deflate(r io.Reader) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := io.Copy(w, r); err != nil {
		panic(err)
	}
	w.Close()
	return b.String()
}

// TaggedGIF returns m as an animation of so many frames, with a comment, XMP and a file behind it.
func TaggedGIF(m image.Image, frames int) []byte {
	b := m.Bounds()
	g := &gif.GIF{LoopCount: 3}
	for i := range frames {
		p := image.NewPaletted(b, append(palette.WebSafe, color.RGBA{}))
		if i == 0 {
			draw.FloydSteinberg.Draw(p, b, m, b.Min)
		}
		g.Image, g.Delay, g.Disposal = append(g.Image, p), append(g.Delay, 10), append(g.Disposal, 0)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, g); err != nil {
		panic(err)
	}
	head := 13 + 0 // EncodeAll writes a palette for each frame, or one for all of them
	if flags := out.Bytes()[10]; flags&0x80 != 0 {
		head += 3 << (flags&7 + 1)
	}
	sub := func(s string) string { return string([]byte{byte(len(s))}) + s + "\x00" }
	extra := "\x21\xfe" + sub(PhotoComment) + "\x21\xff\x0bXMP DataXMP" + sub(XMPText)
	return []byte(string(out.Bytes()[:head]) + extra + string(out.Bytes()[head:]) + TrailingFile)
}

// TaggedWebP returns one of the fixtures as a phone or an editor writes it: with
// EXIF, XMP, a profile and a file behind it.
func TaggedWebP(fixture string, orientation int, profile string) []byte {
	src := Fixture(fixture)
	flags, body := byte(0), string(src[12:])
	info := struct{ w, h int }{96, 64}
	if fixture == "lossless.webp" {
		info.w, info.h = 32, 22
	}
	if strings.HasPrefix(body, "VP8X") {
		flags, body = src[20], string(src[30:])
	}
	flags |= 0x0C
	if profile != "" {
		flags |= 0x20
		body = RIFFChunk("ICCP", profile) + body
	}
	w, h := info.w-1, info.h-1
	canvas := string([]byte{flags, 0, 0, 0, byte(w), byte(w >> 8), 0, byte(h), byte(h >> 8), 0})
	body = RIFFChunk("VP8X", canvas) + body + RIFFChunk("EXIF", PhoneTIFF(orientation)) + RIFFChunk("XMP ", EditorXMP())
	return []byte(RIFFChunk("RIFF", "WEBP"+body) + TrailingFile)
}

// RIFFChunk returns a chunk of a WebP.
func RIFFChunk(name, data string) string {
	out := name + string(binary.LittleEndian.AppendUint32(nil, uint32(len(data)))) + data
	if len(data)%2 == 1 {
		out += "\x00"
	}
	return out
}

// DamagedPNG returns a photo whose headers are valid but that cannot be decoded.
func DamagedPNG() []byte {
	size := "\x00\x00\x00\x08\x00\x00\x00\x08\x08\x00\x00\x00\x00"
	return []byte("\x89PNG\r\n\x1a\n" + PNGChunk("IHDR", size) + PNGChunk("IDAT", "no picture") + PNGChunk("IEND", ""))
}

// zeroReader returns a reader of n zero bytes.
func zeroReader(n int64) io.Reader { return io.LimitReader(endlessZeros{}, n) }

type endlessZeros struct{}

func (endlessZeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// packZeros returns 100 MiB of zeros in zlib's format. It repeats one packed MiB, as to pack all takes seconds under the
// race detector.
func packZeros() string {
	const size, times = 1 << 20, 100
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression)
	_, _ = w.Write(make([]byte, size))
	_ = w.Flush()                                                                    // it ends with a whole byte, and nothing in it refers to what comes before it
	end := binary.BigEndian.AppendUint32([]byte("\x03\x00"), size*times%65521<<16|1) // an empty last block, and Adler-32
	return "\x78\x9c" + strings.Repeat(packed.String(), times) + string(end)
}

// ImageBombs returns, by name, files that are small to send but take much memory, or endless time, to decode.
func ImageBombs() map[string][]byte {
	gray := EncodeJPEG(image.NewGray(image.Rect(0, 0, 8, 8)), 90)
	sized := func(mark byte, w, h int) []byte {
		b := bytes.Clone(gray)
		i := bytes.Index(b, []byte{0xFF, 0xC0})
		b[i+1] = mark
		binary.BigEndian.PutUint16(b[i+5:], uint16(h))
		binary.BigEndian.PutUint16(b[i+7:], uint16(w))
		return b
	}
	header := func(w, h uint32, depth, kind byte) string {
		ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
		return "\x89PNG\r\n\x1a\n" + PNGChunk("IHDR", string(append(ihdr, depth, kind, 0, 0, 0)))
	}
	idat, iend := PNGChunk("IDAT", Deflate(zeroReader(1<<16))), PNGChunk("IEND", "")
	small := header(8, 8, 8, 0) + PNGChunk("IDAT", Deflate(zeroReader(72)))
	screen := func(w, h int) string {
		return "GIF89a" + string([]byte{byte(w), byte(w >> 8), byte(h), byte(h >> 8), 0x80, 0, 0}) + strings.Repeat("\x00", 6)
	}
	frame := func(w, h int) string {
		return ",\x00\x00\x00\x00" + string([]byte{byte(w), byte(w >> 8), byte(h), byte(h >> 8), 0}) + "\x02\x02\x4c\x01\x00"
	}
	lossless := func(w, h int) string {
		return RIFFChunk("VP8L", "/"+string(binary.LittleEndian.AppendUint32(nil, uint32(w-1)|uint32(h-1)<<14))+"\x88\x88\x08\x00\x00")
	}
	canvas := func(flags byte, w, h int) string {
		w, h = w-1, h-1
		return RIFFChunk("VP8X", string([]byte{flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)}))
	}
	webp := func(body string) []byte { return []byte(RIFFChunk("RIFF", "WEBP"+body)) }
	anmf := func(w, h int) string {
		w1, h1 := w-1, h-1
		return RIFFChunk("ANMF", "\x00\x00\x00\x00\x00\x00"+string([]byte{byte(w1), byte(w1 >> 8), byte(w1 >> 16), byte(h1), byte(h1 >> 8), byte(h1 >> 16)})+"\x0a\x00\x00\x00"+lossless(w, h))
	}
	heic := Fixture("phone.heic")
	if i := bytes.Index(heic, []byte("ispe")); i > 0 {
		binary.BigEndian.PutUint32(heic[i+8:], 60000)
		binary.BigEndian.PutUint32(heic[i+12:], 60000)
	}
	packed := packZeros()
	scan := "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x00"
	return map[string][]byte{
		"30000² 1-bit PNG":             []byte(header(30000, 30000, 1, 0) + idat + iend),
		"20000² 16-bit PNG":            []byte(header(20000, 20000, 16, 6) + idat + iend),
		"2³¹ PNG":                      []byte(header(1<<31-1, 1<<31-1, 16, 6) + idat + iend),
		"100 MiB zTXt":                 []byte(small + PNGChunk("zTXt", "a\x00\x00"+packed) + iend),
		"100 MiB iTXt":                 []byte(small + PNGChunk("iTXt", "a\x00\x01\x00\x00\x00"+packed) + iend),
		"100 MiB iCCP":                 []byte(header(8, 8, 8, 0) + PNGChunk("iCCP", "a\x00\x00"+packed) + idat + iend),
		"65500² JPEG":                  sized(0xC0, 65500, 65500),
		"65500² progressive JPEG":      sized(0xC2, 65500, 65500),
		"16000² progressive JPEG":      sized(0xC2, 16000, 16000),
		"progressive JPEG, 5000 scans": append(sized(0xC2, 4000, 3000)[:len(gray)-2], strings.Repeat(scan, 5000)+"\xff\xd9"...),
		"arithmetic JPEG":              sized(0xC9, 64, 64),
		"16383² WebP in 44 bytes":      webp(lossless(16383, 16383)),
		"2²⁴ WebP canvas":              webp(canvas(0x10, 1<<24, 1<<24) + RIFFChunk("ALPH", "\x00") + lossless(64, 64)),
		"large WebP in a small one":    webp(canvas(0, 64, 64) + lossless(16383, 16383)),
		"WebP of 5000 frames":          webp(canvas(2, 1000, 1000) + strings.Repeat(anmf(1000, 1000), 5000)),
		"20000² GIF":                   []byte(screen(20000, 20000) + frame(20000, 20000) + ";"),
		"GIF of 2000 frames of 4 MP":   []byte(screen(2000, 2000) + strings.Repeat(frame(2000, 2000), 2000) + ";"),
		"large GIF in a small one":     []byte(screen(64, 64) + frame(20000, 20000) + ";"),
		"60000² HEIC":                  heic,
		"51 MB":                        append(bytes.Clone(gray), make([]byte, 51<<20)...),
	}
}
