package door

import (
	"bytes"
	"encoding/binary"
)

func stripWebP(src []byte, info Info) ([]byte, error) {
	r, err := webpChunks(src)
	if err != nil {
		return nil, err
	}
	var out []byte // no fileSplice, since sizes and flags change too
	out = append(make([]byte, 0, len(r.src)+48), src[:12]...)
	flags := -1
	var p webpPixels
	for {
		more, err := r.nextChunk()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		switch {
		case r.isNamed("VP8X"):
			flags = len(out) + 8
			out = appendChunk(out, "VP8X", r.data)
		case r.isNamed("ANMF"):
			frame, err := stripWebPFrame(r.data)
			if err != nil {
				return nil, err
			}
			out = appendChunk(out, "ANMF", frame)
		case r.isNamed("ICCP"), r.isNamed("ANIM"):
			out = appendChunk(out, string(r.name[:]), r.data)
		default:
			if out, err = p.addChunk(out, &r, flags >= 0); err != nil {
				return nil, err
			}
		}
	}
	if flags >= 0 {
		out[flags] &^= webpXMP | webpEXIF
		if p.lossy { // decoders refuse a flag without its chunk and a chunk without its flag
			out[flags] &^= webpAlpha
			if p.alpha != nil {
				out[flags] |= webpAlpha
			}
		}
		if info.Orientation > 1 {
			out[flags] |= webpEXIF
			out = appendChunk(out, "EXIF", []byte(orientationTIFF(info.Orientation)))
		}
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	if bytes.Equal(out, src) {
		return src, nil
	}
	return out, nil
}

// webpPixels finds the first picture of a still WebP or of a frame, and the alpha that belongs to it.
type webpPixels struct {
	alpha       []byte
	done, lossy bool
}

func (p *webpPixels) addChunk(out []byte, r *riffChunks, extended bool) ([]byte, error) {
	switch {
	case p.done:
	case r.isNamed("ALPH") && extended: // it belongs to the lossy picture behind it
		p.alpha = r.data
	case r.isNamed("VP8L"):
		p.done, p.alpha = true, nil
		return appendChunk(out, "VP8L", r.data), nil
	case r.isNamed("VP8 "):
		p.done, p.lossy = true, true
		if p.alpha != nil {
			w, h, _, err := webpPictureSize(r)
			if err != nil {
				return nil, err
			}
			if n := len(p.alpha); n == 0 || p.alpha[0]&3 > 1 || p.alpha[0]&3 == 0 && n-1 < w*h {
				return nil, brokenBecause("its transparency is of no known kind")
			}
			out = appendChunk(out, "ALPH", p.alpha)
		}
		return appendChunk(out, "VP8 ", r.data), nil
	}
	return out, nil
}

// stripWebPFrame returns an animation's frame with only its place and its picture.
func stripWebPFrame(data []byte) ([]byte, error) {
	if len(data) < 16 {
		return nil, ErrShort
	}
	out := bytes.Clone(data[:16])
	var p webpPixels
	for r := (riffChunks{src: data, at: 16}); ; {
		more, err := r.nextChunk()
		if err != nil || !more {
			return out, err
		}
		if out, err = p.addChunk(out, &r, true); err != nil {
			return nil, err
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

// FirstFrame returns an animated WebP's first picture as a still WebP, for decoders that do not read animations, and
// where it lies on its canvas. It returns src and 0, 0 if src is not animated.
func FirstFrame(src []byte) (still []byte, x, y int) {
	r, err := webpChunks(src)
	if err != nil {
		return src, 0, 0
	}
	for {
		more, err := r.nextChunk()
		if err != nil || !more {
			return src, 0, 0
		}
		if !r.isNamed("ANMF") {
			continue
		}
		frame, err := stripWebPFrame(r.data)
		if err != nil {
			return src, 0, 0
		}
		canvas := make([]byte, 10)
		if bytes.HasPrefix(frame[16:], []byte("ALPH")) {
			canvas[0] = webpAlpha
		}
		copy(canvas[4:], frame[6:12])
		out := appendChunk([]byte("RIFF\x00\x00\x00\x00WEBP"), "VP8X", canvas)
		out = append(out, frame[16:]...)
		binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
		return out, 2 * readUint24(frame), 2 * readUint24(frame[3:])
	}
}
