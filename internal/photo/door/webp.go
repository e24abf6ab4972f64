package door

import (
	"bytes"
	"cmp"
	"encoding/binary"
)

// riff walks through the chunks of a WebP or of one of its frames.
type riff struct {
	src   []byte
	at    int
	name  [4]byte
	start int
	data  []byte
}

// next reads the next chunk and reports whether there is one.
func (r *riff) next() (bool, error) {
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

func (r *riff) is(name string) bool { return string(r.name[:]) == name }

// webpChunks returns the chunks of src, and nothing behind them.
func webpChunks(src []byte) (riff, error) {
	size := int64(binary.LittleEndian.Uint32(src[4:]))
	if size+8 > int64(len(src)) {
		return riff{}, ErrShort
	}
	if size < 12 {
		return riff{}, broken("it has no picture")
	}
	return riff{src: src[:8+size], at: 12}, nil
}

const (
	webpAnimated, webpXMP, webpEXIF, webpAlpha = 1 << 1, 1 << 2, 1 << 3, 1 << 4
)

func openWebP(src []byte, limits Limits) (Info, error) {
	info := Info{Orientation: 1}
	r, err := webpChunks(src)
	if err != nil {
		return info, err
	}
	canvas, pictures := false, 0
	for {
		more, err := r.next()
		if err != nil {
			return info, err
		}
		if !more {
			break
		}
		switch {
		case r.is("VP8X"):
			if canvas || pictures > 0 || len(r.data) != 10 {
				return info, broken("its size is in the wrong place")
			}
			canvas = true
			info.Width, info.Height = 1+uint24(r.data[4:]), 1+uint24(r.data[7:])
			// whatever the picture inside turns out to be, it is decoded to this size
			if err := limits.allow(info); err != nil {
				return info, err
			}
		case r.is("VP8 "), r.is("VP8L"), r.is("ANMF"):
			w, h, twice, err := webpPicture(&r)
			if err != nil {
				return info, err
			}
			if !canvas {
				info.Width, info.Height = w, h
			}
			if w > info.Width || h > info.Height {
				return info, broken("its picture is larger than its canvas")
			}
			info.Decoded = max(info.Decoded, twice*int64(w)*int64(h)/2)
			if r.is("ANMF") {
				info.Frames++
			}
			if err := limits.allow(info); err != nil {
				return info, err
			}
			pictures++
		case r.is("ALPH"):
			info.Decoded = max(info.Decoded, 7*int64(info.Width)*int64(info.Height)) // decoded as a picture first
		case r.is("EXIF") && canvas: // which alone can announce it
			if o := orientation(bytes.TrimPrefix(r.data, []byte(exifHead))); o > 0 {
				info.Orientation = o
			}
		}
	}
	if pictures == 0 {
		return info, broken("it has no picture")
	}
	info.Frames = max(info.Frames, 1)
	return info, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// webpPicture returns the size of the picture in r's chunk and twice the
// bytes that decoding takes for each pixel.
func webpPicture(r *riff) (w, h int, twice int64, err error) {
	if r.is("ANMF") {
		if len(r.data) < 16 {
			return 0, 0, 0, ErrShort
		}
		inner := riff{src: r.data, at: 16}
		for {
			more, err := inner.next()
			if err != nil || !more {
				return 0, 0, 0, cmp.Or(err, broken("a frame of it is empty"))
			}
			if inner.is("VP8 ") || inner.is("VP8L") {
				break
			}
		}
		w, h, _, err = webpPicture(&inner)
		if err == nil && (w != 1+uint24(r.data[6:]) || h != 1+uint24(r.data[9:])) {
			err = broken("a frame of it has two sizes")
		}
		return w, h, 16, err
	}
	if r.is("VP8L") {
		if len(r.data) < 5 {
			return 0, 0, 0, ErrShort
		}
		bits := binary.LittleEndian.Uint32(r.data[1:])
		if r.data[0] != 0x2F {
			return 0, 0, 0, broken("its picture does not begin as one")
		}
		return 1 + int(bits&0x3FFF), 1 + int(bits>>14&0x3FFF), 16, nil
	}
	if len(r.data) < 10 {
		return 0, 0, 0, ErrShort
	}
	if r.data[0]&1 != 0 || string(r.data[3:6]) != "\x9d\x01\x2a" {
		return 0, 0, 0, broken("its picture does not begin as one")
	}
	return int(binary.LittleEndian.Uint16(r.data[6:]) & 0x3FFF), int(binary.LittleEndian.Uint16(r.data[8:]) & 0x3FFF), 3, nil
}

func stripWebP(src []byte, info Info) ([]byte, error) {
	r, err := webpChunks(src)
	if err != nil {
		return nil, err
	}
	var out []byte // smaller than a copy with pieces, since sizes and flags change too
	out = append(make([]byte, 0, len(r.src)+48), src[:12]...)
	flags := -1
	for {
		more, err := r.next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		switch {
		case r.is("VP8X"):
			flags = len(out) + 8
			out = appendChunk(out, "VP8X", r.data)
		case r.is("ANMF"):
			frame, err := stripFrame(r.data)
			if err != nil {
				return nil, err
			}
			out = appendChunk(out, "ANMF", frame)
		case r.is("VP8 "), r.is("VP8L"), r.is("ALPH"), r.is("ICCP"), r.is("ANIM"):
			out = appendChunk(out, string(r.name[:]), r.data)
		}
	}
	if flags >= 0 {
		out[flags] &^= webpXMP | webpEXIF
		if info.Orientation > 1 {
			out[flags] |= webpEXIF
			out = appendChunk(out, "EXIF", []byte(tiff(info.Orientation)))
		}
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	if bytes.Equal(out, src) {
		return src, nil
	}
	return out, nil
}

// stripFrame keeps of an animation's frame its place and its picture.
func stripFrame(data []byte) ([]byte, error) {
	if len(data) < 16 {
		return nil, ErrShort
	}
	out := bytes.Clone(data[:16])
	for r := (riff{src: data, at: 16}); ; {
		more, err := r.next()
		if err != nil || !more {
			return out, err
		}
		if r.is("VP8 ") || r.is("VP8L") || r.is("ALPH") {
			out = appendChunk(out, string(r.name[:]), r.data)
		}
	}
}

func appendChunk(out []byte, name string, data []byte) []byte {
	out = append(out, name...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	out = append(out, data...)
	if len(data)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// Still returns a WebP with the first picture of an animated one, for
// decoders that know no animations; or src if it is not animated.
func Still(src []byte) []byte {
	r, err := webpChunks(src)
	if err != nil {
		return src
	}
	for {
		more, err := r.next()
		if err != nil || !more {
			return src
		}
		if !r.is("ANMF") || len(r.data) < 16 {
			continue
		}
		frame, err := stripFrame(r.data)
		if err != nil {
			return src
		}
		canvas := make([]byte, 10)
		if bytes.Contains(frame[16:min(len(frame), 20)], []byte("ALPH")) {
			canvas[0] = webpAlpha
		}
		copy(canvas[4:], frame[6:12])
		out := appendChunk([]byte("RIFF\x00\x00\x00\x00WEBP"), "VP8X", canvas)
		out = append(out, frame[16:]...)
		binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
		return out
	}
}

func profileWebP(src []byte) []byte {
	r, err := webpChunks(src)
	if err != nil {
		return nil
	}
	for {
		if more, err := r.next(); err != nil || !more {
			return nil
		}
		if r.is("ICCP") && len(r.data) <= mostICC {
			return r.data
		}
	}
}
