package door

import (
	"bytes"
	"encoding/binary"
)

// jpegFrame is what a JPEG's frame header says about its components.
type jpegFrame struct {
	mark           byte
	componentCount int
	h, v           [4]int
	names          [4]byte
	quant          [4]byte
}

func (f *jpegFrame) maxHorizontal() int { return max(f.h[0], f.h[1], f.h[2], f.h[3]) }

func (f *jpegFrame) maxVertical() int { return max(f.v[0], f.v[1], f.v[2], f.v[3]) }

func readFrame(info *Info, mark byte, data []byte) (jpegFrame, error) {
	f := jpegFrame{mark: mark}
	if len(data) < 6 || len(data) != 6+3*int(data[5]) {
		return f, brokenBecause("its frame has the wrong size")
	}
	if data[0] != 8 {
		return f, ErrCoding
	}
	f.componentCount = int(data[5])
	if f.componentCount != 1 && f.componentCount != 3 && f.componentCount != 4 {
		return f, ErrCoding
	}
	info.Height, info.Width = int(binary.BigEndian.Uint16(data[1:])), int(binary.BigEndian.Uint16(data[3:]))
	if info.Height == 0 {
		return f, ErrCoding // it is given behind the picture
	}
	info.Gray = f.componentCount == 1
	for i := range f.componentCount {
		if bytes.IndexByte(f.names[:i], data[6+3*i]) >= 0 {
			return f, brokenBecause("two of its colours have one name")
		}
		f.names[i], f.h[i], f.v[i], f.quant[i] = data[6+3*i], int(data[7+3*i]>>4), int(data[7+3*i]&15), data[8+3*i]
		if f.h[i] < 1 || f.h[i] > 4 || f.v[i] < 1 || f.v[i] > 4 || f.quant[i] > 3 {
			return f, brokenBecause("its colours are sampled in no known way")
		}
	}
	return f, nil
}

// isInOneScan reports whether a scan's header, data, names all components in their order.
func (f jpegFrame) isInOneScan(data []byte) bool {
	if int(data[0]) != f.componentCount || len(data) != 4+2*f.componentCount {
		return false
	}
	for i := range f.componentCount {
		if data[1+2*i] != f.names[i] {
			return false
		}
	}
	return true
}

// isPlainSampling reports whether image/jpeg keeps the colours at this sampling; it stores those of all others at
// full size.
func (f *jpegFrame) isPlainSampling() bool {
	return f.componentCount == 1 || f.h[1] == f.h[2] && f.v[1] == f.v[2] && f.h[0] == f.maxHorizontal() && f.v[0] == f.maxVertical() && f.v[0]/f.v[1] <= 2
}

// isDecodable reports whether image/jpeg decodes colours of this sampling.
func (f *jpegFrame) isDecodable(rgb bool) bool {
	for i := range f.componentCount {
		if f.h[i] == 3 || f.v[i] == 3 {
			return false
		}
	}
	if f.componentCount == 4 {
		return f.h[0] == f.v[0] && f.h[0] <= 2 && f.h[3] == f.h[0] && f.v[3] == f.v[0] && f.h[1]*f.v[1]*f.h[2]*f.v[2] == 1
	}
	return !rgb || f.isPlainSampling()
}

// chooseDecoder sets in info which decoder will read the picture and how many bytes that takes, or returns ErrCoding
// if none will.
func (f *jpegFrame) chooseDecoder(info *Info, rgb, oneScan bool) error {
	pixels := int64(info.Width) * int64(info.Height)
	most, samples := int64(0), int64(0) // samples are for most pixels, so that all numbers are whole
	for i := range f.componentCount {
		most = max(most, int64(f.h[i]*f.v[i]))
		samples += int64(f.h[i] * f.v[i])
	}
	usual := f.componentCount == 1 || f.componentCount == 3 && f.h[1]*f.v[1]*f.h[2]*f.v[2] == 1
	info.Scales = f.mark != markSOF2 && usual && oneScan && !rgb
	if !info.Scales && !f.isDecodable(rgb) {
		return ErrCoding
	}
	switch {
	case f.componentCount == 1:
		samples, most = 1, 1
	case !info.Scales && !f.isPlainSampling():
		samples, most = int64(f.componentCount), 1
	}
	info.Decoded = pixels * samples / most
	if f.mark == markSOF2 {
		info.Decoded *= 5 // image/jpeg keeps four bytes for each coefficient until the end
	}
	if f.componentCount == 4 || rgb {
		info.Decoded += 4 * pixels // image/jpeg converts it
	}
	return nil
}
