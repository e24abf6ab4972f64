package door

import (
	"bytes"
	"encoding/binary"
	"strings"
)

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
