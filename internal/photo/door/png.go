package door

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// chunks walks through a PNG's chunks.
type chunks struct {
	src   []byte
	at    int
	name  string
	start int
	data  []byte
}

const pngHead = "\x89PNG\r\n\x1a\n"

func (c *chunks) next() error {
	if c.at+12 > len(c.src) {
		return ErrShort
	}
	size := int64(binary.BigEndian.Uint32(c.src[c.at:]))
	if size > 1<<31-1 {
		return broken("a part of it has no length")
	}
	if int64(c.at)+12+size > int64(len(c.src)) {
		return ErrShort
	}
	c.start = c.at
	c.data = c.src[c.at+8:][:size]
	c.name = pngName(c.src[c.at+4:])
	c.at += 12 + int(size)
	return nil
}

// pngNames are the chunks that we know; all others are "". Comparing with
// them makes a name without allocating.
var pngNames = []string{"IDAT", "IHDR", "PLTE", "IEND", "tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "bKGD", "pHYs",
	"acTL", "fcTL", "fdAT", "eXIf", "zTXt", "iTXt"}

func pngName(b []byte) string {
	for _, n := range pngNames {
		if string(b[:4]) == n {
			return n
		}
	}
	return ""
}

func openPNG(src []byte, limits Limits) (Info, error) {
	info := Info{Orientation: 1}
	c := chunks{src: src, at: len(pngHead)}
	if err := c.next(); err != nil {
		return info, err
	}
	if c.name != "IHDR" || len(c.data) != 13 {
		return info, broken("it does not begin with its size")
	}
	w, h := binary.BigEndian.Uint32(c.data), binary.BigEndian.Uint32(c.data[4:])
	if w > 1<<31-1 || h > 1<<31-1 {
		return info, broken("it has no width or height")
	}
	info.Width, info.Height = int(w), int(h)
	depth, color, interlaced := c.data[8], c.data[9], c.data[12] == 1
	info.Gray = color == 0 // one with alpha is decoded, and flattened, in colours
	perPixel := int64(4)
	switch {
	case depth == 16 && color == 0:
		perPixel = 2
	case depth == 16:
		perPixel = 8
	case color == 0 || color == 3:
		perPixel = 1
	}
	// before multiplying: two 31-bit numbers and more do not fit
	if int64(info.Width)*int64(info.Height) > int64(limits.Pixels) {
		return info, ErrPixels
	}
	info.Decoded = perPixel * int64(info.Width) * int64(info.Height)
	if interlaced {
		info.Decoded += info.Decoded / 2 // the last pass is a picture of its own
	}
	if err := limits.allow(info); err != nil {
		return info, err
	}
	pixels := false
	for c.name != "IEND" {
		if err := c.next(); err != nil {
			return info, err
		}
		switch c.name {
		case "IDAT":
			pixels = true
		case "fcTL":
			info.Frames++
			if err := limits.allow(info); err != nil {
				return info, err
			}
		case "eXIf":
			if o := orientation(c.data); o > 0 {
				info.Orientation = o
			}
		case "tRNS":
			info.Gray = false
			info.Decoded = max(info.Decoded, 4*int64(info.Width)*int64(info.Height))
		}
	}
	if !pixels {
		return info, broken("it has no picture")
	}
	info.Frames = max(info.Frames, 1)
	return info, nil
}

func stripPNG(src []byte, info Info) ([]byte, error) {
	kept := parts{src: src}
	kept.add(0, len(pngHead))
	texts := inflater{left: mostText}
	for c := (chunks{src: src, at: len(pngHead)}); c.name != "IEND"; {
		if err := c.next(); err != nil {
			return nil, err
		}
		switch c.name {
		case "", "eXIf": // tEXt, tIME and what nobody needs for showing the picture
			continue
		case "zTXt", "iTXt", "iCCP":
			if !texts.small(compressed(c.name, c.data)) {
				return nil, ErrHidden
			}
			if c.name != "iCCP" {
				continue
			}
		}
		if crc32.ChecksumIEEE(src[c.start+4:c.at-4]) != binary.BigEndian.Uint32(src[c.at-4:]) {
			return nil, broken("a checksum is wrong")
		}
		kept.add(c.start, c.at)
		if c.name == "IHDR" && info.Orientation > 1 {
			kept.put(pngChunk("eXIf", tiff(info.Orientation)))
		}
	}
	return kept.join(), nil
}

func pngChunk(name, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, name+data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// A compressed text can be a thousand times its size. Nobody needs it, and it
// is dropped; but whoever packs 100 MB into one, or into a colour profile, is
// not sending a photo.
const (
	mostText  = 2 << 20 // bytes in all
	mostTexts = 64      // looked at; the rest is dropped unseen
)

type inflater struct {
	left, seen int
	r          io.ReadCloser
}

// small inflates a compressed text and reports whether all texts so far stay
// below mostText.
func (f *inflater) small(text []byte) bool {
	if f.seen++; f.seen > mostTexts || len(text) == 0 {
		return true
	}
	f.left -= f.inflate(text, f.left)
	return f.left > 0
}

// compressed returns the compressed part of a zTXt, iCCP or iTXt, if it has one.
func compressed(name string, data []byte) []byte {
	_, rest, _ := bytes.Cut(data, []byte{0}) // the keyword
	if name != "iTXt" {
		return rest[min(1, len(rest)):]
	}
	if len(rest) < 2 || rest[0] != 1 {
		return nil
	}
	_, rest, _ = bytes.Cut(rest[2:], []byte{0}) // the language
	_, rest, _ = bytes.Cut(rest, []byte{0})     // the keyword in it
	return rest
}

func (f *inflater) inflate(data []byte, most int) int {
	var err error
	if f.r == nil {
		f.r, err = zlib.NewReader(bytes.NewReader(data))
	} else {
		err = f.r.(zlib.Resetter).Reset(bytes.NewReader(data), nil)
	}
	if err != nil || f.r == nil {
		return 0
	}
	n, _ := io.CopyN(io.Discard, f.r, int64(most))
	return int(n)
}

func profilePNG(src []byte) []byte {
	for c := (chunks{src: src, at: len(pngHead)}); c.next() == nil && c.name != "IDAT"; {
		if c.name != "iCCP" {
			continue
		}
		name := bytes.IndexByte(c.data, 0)
		if name < 0 || name+2 > len(c.data) {
			return nil
		}
		r, err := zlib.NewReader(bytes.NewReader(c.data[name+2:]))
		if err != nil {
			return nil
		}
		p, err := io.ReadAll(io.LimitReader(r, mostICC+1))
		if err != nil || len(p) > mostICC {
			return nil
		}
		return p
	}
	return nil
}
