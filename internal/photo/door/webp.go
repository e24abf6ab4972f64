package door

import (
	"bytes"
	"cmp"
	"encoding/binary"
)

// riffChunks reads the chunks of a WebP, or of one of its frames, one after the other.
type riffChunks struct {
	src   []byte
	at    int
	name  [4]byte
	start int
	data  []byte
}

// nextChunk reads the next chunk and reports whether there is one.
func (r *riffChunks) nextChunk() (bool, error) {
	if r.at >= len(r.src) {
		return false, nil
	}
	if r.at+8 > len(r.src) {
		return false, ErrShort
	}
	size := int64(binary.LittleEndian.Uint32(r.src[r.at+4:]))
	if int64(r.at)+8+size > int64(len(r.src)) {
		return false, ErrShort
	}
	r.start, r.name = r.at, [4]byte(r.src[r.at:])
	r.data = r.src[r.at+8:][:size]
	r.at = min(r.at+8+int(size+size&1), len(r.src))
	return true, nil
}

func (r *riffChunks) isNamed(name string) bool { return string(r.name[:]) == name }

// webpChunks returns the chunks of src, without what lies behind the end that its header gives.
func webpChunks(src []byte) (riffChunks, error) {
	size := int64(binary.LittleEndian.Uint32(src[4:]))
	if size+8 > int64(len(src)) {
		return riffChunks{}, ErrShort
	}
	if size < 12 {
		return riffChunks{}, brokenBecause("it has no picture")
	}
	return riffChunks{src: src[:8+size], at: 12}, nil
}

const (
	webpAnimated, webpXMP, webpEXIF, webpAlpha = 1 << 1, 1 << 2, 1 << 3, 1 << 4
)

func inspectWebP(src []byte, limits Limits) (Info, error) {
	var info Info
	var turned orientationTags
	r, err := webpChunks(src)
	if err != nil {
		return info, err
	}
	canvas, pictures := false, 0
	for {
		more, err := r.nextChunk()
		if err != nil {
			return info, err
		}
		if !more {
			break
		}
		switch {
		case r.isNamed("VP8X"):
			if canvas || pictures > 0 || len(r.data) != 10 {
				return info, brokenBecause("its size is in the wrong place")
			}
			canvas = true
			info.Width, info.Height = 1+readUint24(r.data[4:]), 1+readUint24(r.data[7:])
			// whatever size the picture inside has, it is decoded to this size
			if err := limits.checkInfo(info); err != nil {
				return info, err
			}
		case r.isNamed("VP8 "), r.isNamed("VP8L"), r.isNamed("ANMF"):
			w, h, twice, err := webpPictureSize(&r)
			if err != nil {
				return info, err
			}
			if !canvas {
				info.Width, info.Height = w, h
			}
			x, y := 0, 0
			if r.isNamed("ANMF") {
				x, y = 2*readUint24(r.data), 2*readUint24(r.data[3:])
			}
			if x+w > info.Width || y+h > info.Height {
				return info, brokenBecause("its picture is larger than its canvas")
			}
			if pictures == 0 && !r.isNamed("ANMF") && (w != info.Width || h != info.Height) {
				return info, brokenBecause("its picture is smaller than its canvas")
			}
			info.Decoded = max(info.Decoded, twice*int64(w)*int64(h)/2)
			if r.isNamed("ANMF") {
				info.Frames++
			}
			if err := limits.checkInfo(info); err != nil {
				return info, err
			}
			pictures++
		case r.isNamed("ALPH"):
			info.Decoded = max(info.Decoded, 7*int64(info.Width)*int64(info.Height)) // it is decoded as a picture first
		case r.isNamed("EXIF") && canvas: // only a VP8X can announce it
			turned.exif = cmp.Or(orientationOfTIFF(bytes.TrimPrefix(r.data, []byte(exifHead))), turned.exif)
		case r.isNamed("XMP ") && canvas:
			turned.xmp = cmp.Or(turned.xmp, orientationOfXMP(r.data))
		}
	}
	if pictures == 0 {
		return info, brokenBecause("it has no picture")
	}
	info.Frames, info.Orientation = max(info.Frames, 1), turned.preferred()
	return info, nil
}

func readUint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// webpPictureSize returns the size of the picture in r's chunk, and twice how many bytes each pixel takes when it is
// decoded.
func webpPictureSize(r *riffChunks) (w, h int, twice int64, err error) {
	if r.isNamed("ANMF") {
		if len(r.data) < 16 {
			return 0, 0, 0, ErrShort
		}
		inner := riffChunks{src: r.data, at: 16}
		for {
			more, err := inner.nextChunk()
			if err != nil || !more {
				return 0, 0, 0, cmp.Or(err, brokenBecause("a frame of it is empty"))
			}
			if inner.isNamed("VP8 ") || inner.isNamed("VP8L") {
				break
			}
		}
		w, h, _, err = webpPictureSize(&inner)
		if err == nil && (w != 1+readUint24(r.data[6:]) || h != 1+readUint24(r.data[9:])) {
			err = brokenBecause("a frame of it has two sizes")
		}
		return w, h, 16, err
	}
	if r.isNamed("VP8L") {
		if len(r.data) < 5 {
			return 0, 0, 0, ErrShort
		}
		bits := binary.LittleEndian.Uint32(r.data[1:])
		if r.data[0] != 0x2F {
			return 0, 0, 0, brokenBecause("its picture does not begin as one")
		}
		if bits>>29 != 0 {
			return 0, 0, 0, ErrCoding // a version that no standard defines yet
		}
		return 1 + int(bits&0x3FFF), 1 + int(bits>>14&0x3FFF), 16, nil
	}
	if len(r.data) < 10 {
		return 0, 0, 0, ErrShort
	}
	if r.data[0]&1 != 0 || string(r.data[3:6]) != "\x9d\x01\x2a" {
		return 0, 0, 0, brokenBecause("its picture does not begin as one")
	}
	return int(binary.LittleEndian.Uint16(r.data[6:]) & 0x3FFF), int(binary.LittleEndian.Uint16(r.data[8:]) & 0x3FFF), 3, nil
}

func profileWebP(src []byte) []byte {
	r, err := webpChunks(src)
	if err != nil {
		return nil
	}
	for {
		if more, err := r.nextChunk(); err != nil || !more {
			return nil
		}
		if r.isNamed("ICCP") && len(r.data) <= maxICCBytes {
			return r.data
		}
	}
}
