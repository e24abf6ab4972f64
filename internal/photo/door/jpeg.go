package door

import (
	"bytes"
	"cmp"
	"encoding/binary"
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
