package door

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// pngChunks reads a PNG's chunks one after the other.
type pngChunks struct {
	src   []byte
	at    int
	name  string
	start int
	data  []byte
}

const pngHead = "\x89PNG\r\n\x1a\n"

func (c *pngChunks) nextChunk() error {
	if c.at+12 > len(c.src) {
		return ErrShort
	}
	size := int64(binary.BigEndian.Uint32(c.src[c.at:]))
	if size > 1<<31-1 {
		return brokenBecause("a part of it has no length")
	}
	if int64(c.at)+12+size > int64(len(c.src)) {
		return ErrShort
	}
	c.start = c.at
	c.data = c.src[c.at+8:][:size]
	c.name = knownPNGName(c.src[c.at+4:])
	c.at += 12 + int(size)
	return nil
}

// pngNames are the chunks that we know; the name of all others is "". Comparing with them gives a name without
// allocating.
var pngNames = []string{"IDAT", "IHDR", "PLTE", "IEND", "tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "bKGD", "pHYs",
	"acTL", "fcTL", "fdAT", "eXIf", "zTXt", "iTXt"}

func knownPNGName(b []byte) string {
	for _, n := range pngNames {
		if string(b[:4]) == n {
			return n
		}
	}
	return ""
}

func inspectPNG(src []byte, limits Limits) (Info, error) {
	info := Info{Frames: 1}
	var turned orientationTags
	c := pngChunks{src: src, at: len(pngHead)}
	if err := c.nextChunk(); err != nil {
		return info, err
	}
	if c.name != "IHDR" || len(c.data) != 13 {
		return info, brokenBecause("it does not begin with its size")
	}
	w, h := binary.BigEndian.Uint32(c.data), binary.BigEndian.Uint32(c.data[4:])
	if w > 1<<31-1 || h > 1<<31-1 {
		return info, brokenBecause("it has no width or height")
	}
	info.Width, info.Height = int(w), int(h)
	depth, color, interlaced := c.data[8], c.data[9], c.data[12] == 1
	if !isPNGCoding(depth, color) || c.data[10] != 0 || c.data[11] != 0 || c.data[12] > 1 {
		return info, ErrCoding
	}
	info.Gray = color == 0 // a picture with alpha is decoded and flattened in colours
	perPixel := int64(4)
	switch {
	case depth == 16 && color == 0:
		perPixel = 2
	case depth == 16:
		perPixel = 8
	case color == 0 || color == 3:
		perPixel = 1
	}
	// before multiplying further: two 31-bit numbers and a factor do not fit into an int64
	if int64(info.Width)*int64(info.Height) > int64(limits.Pixels) {
		return info, ErrPixels
	}
	info.Decoded = perPixel * int64(info.Width) * int64(info.Height)
	if interlaced {
		info.Decoded += info.Decoded / 2 // the last pass is a picture of its own
	}
	if err := limits.checkInfo(info); err != nil {
		return info, err
	}
	palette, pixels, described := false, false, false
	for c.name != "IEND" {
		if err := c.nextChunk(); err != nil {
			return info, err
		}
		switch c.name {
		case "PLTE":
			palette = true
		case "IDAT":
			if color == pngPalette && !palette {
				return info, brokenBecause("it lacks a table")
			}
			pixels = true
		case "eXIf":
			turned.exif = cmp.Or(orientationOfTIFF(c.data), turned.exif)
		case "iTXt":
			// only the first: a file with thousands would be inflated for a minute
			if !described && bytes.HasPrefix(c.data, []byte(pngXMPHead)) {
				described, turned.xmp = true, orientationOfXMP(xmpOfPNG(c.data))
			}
		case "tRNS":
			if !pixels && color&pngAlpha == 0 {
				info.Gray = false
				info.Decoded = max(info.Decoded, 4*int64(info.Width)*int64(info.Height))
			}
		}
	}
	if !pixels {
		return info, brokenBecause("it has no picture")
	}
	info.Orientation = turned.preferred()
	return info, nil
}

// pngXMPHead stands before XMP in an iTXt.
const pngXMPHead = "XML:com.adobe.xmp\x00"

// xmpOfPNG returns the XMP of an iTXt that begins with pngXMPHead, at most its first 64 KiB if it is compressed.
func xmpOfPNG(data []byte) []byte {
	text := data[len(pngXMPHead):]
	if packed := compressedText("iTXt", data); packed != nil {
		r, err := zlib.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil
		}
		text, _ = io.ReadAll(io.LimitReader(r, 1<<16)) // an orientation stands near the beginning
	}
	return text
}

// Bits and values of the colour type in a PNG's header.
const (
	pngPalette = 3
	pngAlpha   = 4 // a bit of the colour types without a palette
)

// isPNGCoding reports whether the PNG standard has this pair of depth, in bits, and colour type.
func isPNGCoding(depth, color byte) bool {
	switch depth {
	case 1, 2, 4:
		return color == 0 || color == pngPalette
	case 8:
		return color == 0 || color == 2 || color == pngPalette || color == pngAlpha || color == 2|pngAlpha
	}
	return depth == 16 && (color == 0 || color == 2 || color == pngAlpha || color == 2|pngAlpha)
}

// stripPNG returns src with only the picture and what describes its colours. Of an animation it keeps the still
// picture.
func stripPNG(src []byte, info Info) ([]byte, error) {
	splice := fileSplice{src: src}
	splice.addRange(0, len(pngHead))
	texts := inflater{remainingBytes: maxTextBytes}
	var depth, color byte
	palette, transparent, pixels := false, false, false
	for c := (pngChunks{src: src, at: len(pngHead)}); c.name != "IEND"; {
		if err := c.nextChunk(); err != nil {
			return nil, err
		}
		if pixels && c.name != "IDAT" && c.name != "IEND" && c.name != "zTXt" && c.name != "iTXt" {
			continue // too late to mean anything, and the pixels stay in one piece
		}
		switch c.name {
		case "", "eXIf", "acTL", "fcTL", "fdAT": // tEXt, tIME and others that are not needed for showing the picture
			continue
		case "IHDR":
			if depth > 0 || len(c.data) != 13 {
				return nil, brokenBecause("its size is in the wrong place")
			}
			depth, color = c.data[8], c.data[9]
		case "PLTE":
			if color == 0 || color == pngAlpha {
				continue // it means nothing for gray, and image/png refuses it
			}
			if n := len(c.data) / 3; palette || transparent || len(c.data)%3 != 0 || n == 0 || n > 256 || color == pngPalette && n > 1<<depth {
				return nil, brokenBecause("a table of it has the wrong size")
			}
			palette = true
		case "tRNS":
			if color&pngAlpha > 0 {
				continue // each pixel has its own alpha, and image/png refuses it
			}
			n := len(c.data)
			if transparent || color == 0 && n != 2 || color == 2 && n != 6 || color == pngPalette && (!palette || n > 256) {
				return nil, brokenBecause("a table of it has the wrong size")
			}
			transparent = true
		case "IDAT":
			pixels = true
		case "zTXt", "iTXt", "iCCP":
			if !texts.staysSmall(compressedText(c.name, c.data)) {
				return nil, ErrHidden
			}
			if c.name != "iCCP" {
				continue
			}
		}
		if crc32.ChecksumIEEE(src[c.start+4:c.at-4]) != binary.BigEndian.Uint32(src[c.at-4:]) {
			return nil, brokenBecause("a checksum is wrong")
		}
		splice.addRange(c.start, c.at)
		if c.name == "IHDR" && info.Orientation > 1 {
			splice.addText(encodePNGChunk("eXIf", orientationTIFF(info.Orientation)))
		}
	}
	return splice.joinPieces(), nil
}

func encodePNGChunk(name, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, name+data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// A compressed text can inflate to a thousand times its size. Texts are not needed and are dropped; but a file with
// 100 MB packed into one, or into a colour profile, is not a photo.
const (
	maxTextBytes = 2 << 20 // bytes in all
	maxTexts     = 64      // inflated; further ones are dropped unread
)

type inflater struct {
	remainingBytes, textCount int
	r                         io.ReadCloser
}

// staysSmall inflates a compressed text and reports whether all texts so far stay below maxTextBytes together.
func (f *inflater) staysSmall(text []byte) bool {
	if f.textCount++; f.textCount > maxTexts || len(text) == 0 {
		return true
	}
	f.remainingBytes -= f.inflateUpTo(text, f.remainingBytes)
	return f.remainingBytes > 0
}

// compressedText returns the compressed part of a zTXt, iCCP or iTXt, or nil if it has none.
func compressedText(name string, data []byte) []byte {
	_, rest, _ := bytes.Cut(data, []byte{0}) // the keyword
	if name != "iTXt" {
		return rest[min(1, len(rest)):]
	}
	if len(rest) < 2 || rest[0] != 1 {
		return nil
	}
	_, rest, _ = bytes.Cut(rest[2:], []byte{0}) // the language
	_, rest, _ = bytes.Cut(rest, []byte{0})     // the translated keyword
	return rest
}

func (f *inflater) inflateUpTo(data []byte, most int) int {
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
	for c := (pngChunks{src: src, at: len(pngHead)}); c.nextChunk() == nil && c.name != "IDAT"; {
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
		p, err := io.ReadAll(io.LimitReader(r, maxICCBytes+1))
		if err != nil || len(p) > maxICCBytes {
			return nil
		}
		return p
	}
	return nil
}
