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
	mostICC     = 1 << 20 // which each of a photo's renditions carries
	mostScans   = 100
)

// segments walks through a JPEG's markers.
type segments struct {
	src   []byte
	at    int
	mark  byte
	start int    // where the marker is
	data  []byte // what belongs to it, without its length
}

// next reads the next marker, and reports whether there is one. What lies
// before it and belongs to no marker is passed over, as decoders do.
func (s *segments) next() error {
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
		return broken("a part of it has no length")
	}
	if s.at+size > len(s.src) {
		return ErrShort
	}
	s.data = s.src[s.at+2 : s.at+size]
	s.at += size
	return nil
}

func (s *segments) has(mark byte, head string) bool {
	return s.mark == mark && len(s.data) >= len(head) && string(s.data[:len(head)]) == head
}

// frame is what a JPEG's frame header says of its components.
type frame struct {
	mark  byte
	n     int
	h, v  [4]int
	names [4]byte
	quant [4]byte
}

func (f *frame) maxH() int { return max(f.h[0], f.h[1], f.h[2], f.h[3]) }
func (f *frame) maxV() int { return max(f.v[0], f.v[1], f.v[2], f.v[3]) }

func openJPEG(src []byte) (Info, error) {
	info := Info{Frames: 1}
	var f frame
	var turned turn
	jfif, adobe := false, -1
	for s := (segments{src: src, at: 2}); ; {
		if err := s.next(); err != nil {
			return info, err
		}
		switch {
		case s.mark == markEOI:
			return info, ErrShort
		case s.has(markAPP0, jfifHead):
			jfif = true
		case s.has(markAPP14, adobeHead) && len(s.data) >= 12:
			adobe = int(s.data[11])
		case s.has(markAPP1, exifHead):
			turned.exif = cmp.Or(turned.exif, orientation(s.data[len(exifHead):]))
		case s.has(markAPP1, xmpHead):
			turned.xmp = cmp.Or(turned.xmp, orientationXMP(s.data))
		case s.mark == markSOF0 || s.mark == markSOF1 || s.mark == markSOF2:
			if f.mark != 0 {
				return info, broken("it has two pictures in one")
			}
			var err error
			if f, err = readFrame(&info, s.mark, s.data); err != nil {
				return info, err
			}
		case s.mark >= markSOF0 && s.mark <= markSOF15 && s.mark != markDHT:
			return info, ErrCoding // lossless, hierarchical or arithmetic
		case s.mark == markSOS:
			if f.mark == 0 || len(s.data) < 1 {
				return info, broken("it has no frame")
			}
			info.Orientation = turned.orientation()
			rgb := !jfif && (adobe == 0 || string(f.names[:3]) == "RGB")
			if f.n == 4 && adobe < 0 {
				return info, ErrCoding // four colours, and nobody says which
			}
			return info, f.judge(&info, rgb, f.inOneScan(s.data))
		}
	}
}

func readFrame(info *Info, mark byte, data []byte) (frame, error) {
	f := frame{mark: mark}
	if len(data) < 6 || len(data) != 6+3*int(data[5]) {
		return f, broken("its frame has the wrong size")
	}
	if data[0] != 8 {
		return f, ErrCoding
	}
	f.n = int(data[5])
	if f.n != 1 && f.n != 3 && f.n != 4 {
		return f, ErrCoding
	}
	info.Height, info.Width = int(binary.BigEndian.Uint16(data[1:])), int(binary.BigEndian.Uint16(data[3:]))
	if info.Height == 0 {
		return f, ErrCoding // it is told behind the picture
	}
	info.Gray = f.n == 1
	for i := range f.n {
		if bytes.IndexByte(f.names[:i], data[6+3*i]) >= 0 {
			return f, broken("two of its colours have one name")
		}
		f.names[i], f.h[i], f.v[i], f.quant[i] = data[6+3*i], int(data[7+3*i]>>4), int(data[7+3*i]&15), data[8+3*i]
		if f.h[i] < 1 || f.h[i] > 4 || f.v[i] < 1 || f.v[i] > 4 || f.quant[i] > 3 {
			return f, broken("its colours are sampled in no known way")
		}
	}
	return f, nil
}

// inOneScan reports whether a scan's header names all components, in their order.
func (f frame) inOneScan(data []byte) bool {
	if int(data[0]) != f.n || len(data) != 4+2*f.n {
		return false
	}
	for i := range f.n {
		if data[1+2*i] != f.names[i] {
			return false
		}
	}
	return true
}

// plain reports whether image/jpeg stores colours that are sampled so as they are; all others it stores in full.
func (f *frame) plain() bool {
	return f.n == 1 || f.h[1] == f.h[2] && f.v[1] == f.v[2] && f.h[0] == f.maxH() && f.v[0] == f.maxV() && f.v[0]/f.v[1] <= 2
}

// sampled reports whether image/jpeg decodes colours that are sampled so.
func (f *frame) sampled(rgb bool) bool {
	for i := range f.n {
		if f.h[i] == 3 || f.v[i] == 3 {
			return false
		}
	}
	if f.n == 4 {
		return f.h[0] == f.v[0] && f.h[0] <= 2 && f.h[3] == f.h[0] && f.v[3] == f.v[0] && f.h[1]*f.v[1]*f.h[2]*f.v[2] == 1
	}
	return !rgb || f.plain()
}

// judge says which decoder will read the picture and what that holds in memory, or refuses what none will.
func (f *frame) judge(info *Info, rgb, oneScan bool) error {
	pixels := int64(info.Width) * int64(info.Height)
	most, samples := int64(0), int64(0) // for most pixels, so that all is whole numbers
	for i := range f.n {
		most = max(most, int64(f.h[i]*f.v[i]))
		samples += int64(f.h[i] * f.v[i])
	}
	usual := f.n == 1 || f.n == 3 && f.h[1]*f.v[1]*f.h[2]*f.v[2] == 1
	info.Scales = f.mark != markSOF2 && usual && oneScan && !rgb
	if !info.Scales && !f.sampled(rgb) {
		return ErrCoding
	}
	switch {
	case f.n == 1:
		samples, most = 1, 1
	case !info.Scales && !f.plain():
		samples, most = int64(f.n), 1
	}
	info.Decoded = pixels * samples / most
	if f.mark == markSOF2 {
		info.Decoded *= 5 // it keeps four bytes for each coefficient until the end
	}
	if f.n == 4 || rgb {
		info.Decoded += 4 * pixels // and converts
	}
	return nil
}

// stripJPEG keeps what a decoder needs, and of JFIF and Adobe markers only the
// part that has a meaning: a JFIF may carry a small picture, which is the
// photo as it was before somebody cropped it.
func stripJPEG(src []byte, info Info) ([]byte, error) {
	kept := parts{src: src}
	kept.add(0, 2)
	exif := ""
	if info.Orientation > 1 {
		exif = "\xff\xe1\x00\x22" + exifHead + tiff(info.Orientation)
	}
	c := coding{scales: info.Scales}
	for s := (segments{src: src, at: 2}); s.mark != markEOI; {
		if err := s.next(); err != nil {
			return nil, err
		}
		if !s.has(markAPP0, jfifHead) { // a JFIF likes to stand first, an EXIF next
			kept.put(exif)
			exif = ""
		}
		switch {
		case s.has(markAPP0, jfifHead) && len(s.data) == 14:
			kept.add(s.start, s.at)
		case s.has(markAPP0, jfifHead):
			kept.put("\xff\xe0\x00\x10" + jfifHead + density(s.data[len(jfifHead):]) + "\x00\x00")
		case s.has(markAPP14, adobeHead) && len(s.data) == 12:
			kept.add(s.start, s.at)
		case s.has(markAPP14, adobeHead) && len(s.data) > 12:
			kept.put("\xff\xee\x00\x0e" + string(s.data[:12]))
		case s.has(markAPP2, iccHead), s.mark == markEOI:
			kept.add(s.start, s.at)
		case s.mark == markDQT, s.mark == markDHT, s.mark == markDRI, s.mark >= markSOF0 && s.mark <= markSOF2, s.mark == markSOS:
			missing, err := c.read(s.mark, s.data)
			if err != nil {
				return nil, err
			}
			if s.mark == markSOS {
				s.at = endOfScan(src, s.at)
			}
			kept.put(missing)
			kept.add(s.start, s.at)
		case s.mark == markSOI:
			return nil, broken("another picture begins in it")
		}
	}
	if err := c.whole(); err != nil {
		return nil, err
	}
	return kept.join(), nil
}

// density returns a JFIF's version and density, or the usual ones if it has none.
func density(data []byte) string {
	if len(data) < 7 {
		return "\x01\x01\x00\x00\x01\x00\x01"
	}
	return string(data[:7])
}

// endOfScan returns where the scan's data ends that begins at at: before the
// first marker that is no restart, or at the end of src.
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
	for s := (segments{src: src, at: 2}); s.next() == nil && s.mark != markSOS && s.mark != markEOI; {
		if !s.has(markAPP2, iccHead) || len(s.data) < iccHeadSize {
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
	if count == 0 || size > mostICC {
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

// JPEGProfile returns the markers that give a JPEG the profile p, to stand after its first two bytes, as many as it
// takes; nothing if p is empty.
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
