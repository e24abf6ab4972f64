package door

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"strings"
)

const (
	markSOF0, markSOF1, markSOF2 = 0xC0, 0xC1, 0xC2
	markDHT, markSOF15           = 0xC4, 0xCF
	markRST0, markRST7           = 0xD0, 0xD7
	markSOI, markEOI, markSOS    = 0xD8, 0xD9, 0xDA
	markDQT, markDRI             = 0xDB, 0xDD
	markAPP0, markAPP1, markAPP2 = 0xE0, 0xE1, 0xE2
	markAPP14                    = 0xEE

	jfifHead, iccHead, adobeHead = "JFIF\x00", "ICC_PROFILE\x00", "Adobe"

	iccHeadSize = len(iccHead) + 2
	maxICCBytes = 1 << 20 // each of a photo's renditions carries the profile
	maxScans    = 100
)

// jpegSegments reads a JPEG's markers one after the other.
type jpegSegments struct {
	src   []byte
	at    int
	mark  byte
	start int    // where the marker is
	data  []byte // the segment's data, without its length
}

// nextSegment reads the next marker with its data, or returns ErrShort if there is none. It skips bytes that belong
// to no marker, as decoders do.
func (s *jpegSegments) nextSegment() error {
	for {
		i := bytes.IndexByte(s.src[s.at:], 0xFF)
		if i < 0 || s.at+i+1 >= len(s.src) {
			return ErrShort
		}
		s.at += i + 1
		if m := s.src[s.at]; m == 0 || m == 0xFF || m >= markRST0 && m <= markRST7 {
			continue
		}
		break
	}
	s.start, s.mark, s.data = s.at-1, s.src[s.at], nil
	s.at++
	if s.mark == markSOI || s.mark == markEOI {
		return nil
	}
	if s.at+2 > len(s.src) {
		return ErrShort
	}
	size := int(binary.BigEndian.Uint16(s.src[s.at:]))
	if size < 2 {
		return brokenBecause("a part of it has no length")
	}
	if s.at+size > len(s.src) {
		return ErrShort
	}
	s.data = s.src[s.at+2 : s.at+size]
	s.at += size
	return nil
}

func (s *jpegSegments) hasHead(mark byte, head string) bool {
	return s.mark == mark && len(s.data) >= len(head) && string(s.data[:len(head)]) == head
}

// jpegFrame is what a JPEG's frame header says about its components.
type jpegFrame struct {
	mark           byte
	componentCount int
	h, v           [4]int
	names          [4]byte
	quant          [4]byte
}

func (f *jpegFrame) maxHorizontal() int { return max(f.h[0], f.h[1], f.h[2], f.h[3]) }
func (f *jpegFrame) maxVertical() int   { return max(f.v[0], f.v[1], f.v[2], f.v[3]) }

func inspectJPEG(src []byte) (Info, error) {
	info := Info{Frames: 1}
	var f jpegFrame
	var turned orientationTags
	jfif, adobe := false, -1
	for s := (jpegSegments{src: src, at: 2}); ; {
		if err := s.nextSegment(); err != nil {
			return info, err
		}
		switch {
		case s.mark == markEOI:
			return info, ErrShort
		case s.hasHead(markAPP0, jfifHead):
			jfif = true
		case s.hasHead(markAPP14, adobeHead) && len(s.data) >= 12:
			adobe = int(s.data[11])
		case s.hasHead(markAPP1, exifHead):
			turned.exif = cmp.Or(turned.exif, orientationOfTIFF(s.data[len(exifHead):]))
		case s.hasHead(markAPP1, xmpHead):
			turned.xmp = cmp.Or(turned.xmp, orientationOfXMP(s.data))
		case s.mark == markSOF0 || s.mark == markSOF1 || s.mark == markSOF2:
			if f.mark != 0 {
				return info, brokenBecause("it has two pictures in one")
			}
			var err error
			if f, err = readFrame(&info, s.mark, s.data); err != nil {
				return info, err
			}
		case s.mark >= markSOF0 && s.mark <= markSOF15 && s.mark != markDHT:
			return info, ErrCoding // lossless, hierarchical or arithmetic
		case s.mark == markSOS:
			if f.mark == 0 || len(s.data) < 1 {
				return info, brokenBecause("it has no frame")
			}
			info.Orientation = turned.preferred()
			rgb := !jfif && (adobe == 0 || string(f.names[:3]) == "RGB")
			if f.componentCount == 4 && adobe < 0 {
				return info, ErrCoding // four colours, and nothing says which
			}
			return info, f.chooseDecoder(&info, rgb, f.isInOneScan(s.data))
		}
	}
}

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

// stripJPEG returns src with only what a decoder needs. Of JFIF and Adobe markers it keeps the part that a decoder
// reads: a JFIF may carry a small picture, which is the photo as it was before somebody cropped it.
func stripJPEG(src []byte, info Info) ([]byte, error) {
	splice := fileSplice{src: src}
	splice.addRange(0, 2)
	exif := ""
	if info.Orientation > 1 {
		exif = "\xff\xe1\x00\x22" + exifHead + orientationTIFF(info.Orientation)
	}
	c := jpegCoding{scales: info.Scales}
	for s := (jpegSegments{src: src, at: 2}); s.mark != markEOI; {
		if err := s.nextSegment(); err != nil {
			return nil, err
		}
		if !s.hasHead(markAPP0, jfifHead) { // a JFIF should stand first, an EXIF next
			splice.addText(exif)
			exif = ""
		}
		switch {
		case s.hasHead(markAPP0, jfifHead) && len(s.data) == 14:
			splice.addRange(s.start, s.at)
		case s.hasHead(markAPP0, jfifHead):
			splice.addText("\xff\xe0\x00\x10" + jfifHead + jfifDensity(s.data[len(jfifHead):]) + "\x00\x00")
		case s.hasHead(markAPP14, adobeHead) && len(s.data) == 12:
			splice.addRange(s.start, s.at)
		case s.hasHead(markAPP14, adobeHead) && len(s.data) > 12:
			splice.addText("\xff\xee\x00\x0e" + string(s.data[:12]))
		case s.hasHead(markAPP2, iccHead), s.mark == markEOI:
			splice.addRange(s.start, s.at)
		case s.mark == markDQT, s.mark == markDHT, s.mark == markDRI, s.mark >= markSOF0 && s.mark <= markSOF2, s.mark == markSOS:
			missing, err := c.readSegment(s.mark, s.data)
			if err != nil {
				return nil, err
			}
			if s.mark == markSOS {
				s.at = endOfScan(src, s.at)
			}
			splice.addText(missing)
			splice.addRange(s.start, s.at)
		case s.mark == markSOI:
			return nil, brokenBecause("another picture begins in it")
		}
	}
	if err := c.checkComplete(); err != nil {
		return nil, err
	}
	return splice.joinPieces(), nil
}

// jfifDensity returns a JFIF's version and density, or the usual values if it has none.
func jfifDensity(data []byte) string {
	if len(data) < 7 {
		return "\x01\x01\x00\x00\x01\x00\x01"
	}
	return string(data[:7])
}

// endOfScan returns where the scan's data that begins at at ends: before the first marker that is not a restart
// marker, or at the end of src.
func endOfScan(src []byte, at int) int {
	for {
		i := bytes.IndexByte(src[at:], 0xFF)
		if i < 0 || at+i+1 >= len(src) {
			return len(src)
		}
		at += i
		if m := src[at+1]; m == 0 || m >= markRST0 && m <= markRST7 {
			at += 2
		} else if m == 0xFF {
			at++
		} else {
			return at
		}
	}
}

func profileJPEG(src []byte) []byte {
	var chunks [256][]byte
	count, size := 0, 0
	for s := (jpegSegments{src: src, at: 2}); s.nextSegment() == nil && s.mark != markSOS && s.mark != markEOI; {
		if !s.hasHead(markAPP2, iccHead) || len(s.data) < iccHeadSize {
			continue
		}
		n := s.data[len(iccHead)]
		if n == 0 || chunks[n] != nil {
			return nil
		}
		chunks[n] = s.data[iccHeadSize:]
		count = int(s.data[len(iccHead)+1])
		size += len(chunks[n])
	}
	if count == 0 || size > maxICCBytes {
		return nil
	}
	if count == 1 {
		return chunks[1]
	}
	whole := make([]byte, 0, size)
	for _, c := range chunks[1 : count+1] {
		if c == nil {
			return nil
		}
		whole = append(whole, c...)
	}
	return whole
}

// JPEGProfile returns the markers that give a JPEG the profile p, as many as p needs; they belong after its first two
// bytes. It returns "" if p is empty or too long for 255 markers.
func JPEGProfile(p []byte) string {
	const most = 0xFFFF - 2 - iccHeadSize
	count := (len(p) + most - 1) / most
	if count > 0xFF {
		return ""
	}
	var b strings.Builder
	for n := range count {
		part := p[n*most : min((n+1)*most, len(p))]
		b.WriteString("\xff\xe2")
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(2+iccHeadSize+len(part))))
		b.WriteString(iccHead)
		b.Write([]byte{byte(n + 1), byte(count)})
		b.Write(part)
	}
	return b.String()
}
