package door

import (
	"bytes"
	"cmp"
	"encoding/binary"
)

// orientationTags holds the orientations that EXIF and XMP give a photo, 0 for none.
type orientationTags struct{ exif, xmp int }

func (t orientationTags) preferred() int { return cmp.Or(t.exif, t.xmp, 1) }

// xmpHead stands before XMP in a JPEG.
const xmpHead = "http://ns.adobe.com/xap/1.0/\x00"

// orientationOfXMP returns the picture's orientation that an XMP packet has as an attribute or an element, or 0 for
// none.
func orientationOfXMP(packet []byte) int {
	_, value, found := bytes.Cut(packet, []byte("tiff:Orientation"))
	value = bytes.TrimLeft(value, " \t\r\n=\"'>")
	if !found || len(value) < 2 || value[0] < '1' || value[0] > '8' || value[1] >= '0' && value[1] <= '9' {
		return 0
	}
	return int(value[0] - '0')
}

// orientationOfTIFF returns the picture's orientation in a TIFF structure, which is the inside of an EXIF, or 0 for
// none.
func orientationOfTIFF(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == 0x0112 {
			o := int(order.Uint16(entries[8:]))
			if kind := order.Uint16(entries[2:]); kind != 3 || o < 1 || o > 8 {
				return 0
			}
			return o
		}
		entries = entries[12:]
	}
	return 0
}

// exifHead stands before the TIFF structure in a JPEG, and by mistake in other formats.
const exifHead = "Exif\x00\x00"

// orientationTIFF returns the smallest TIFF structure that holds an orientation and nothing else.
func orientationTIFF(orientation int) string {
	return "MM\x00*\x00\x00\x00\x08" + // the directory is at 8
		"\x00\x01" + // has one entry:
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(orientation)) + "\x00\x00" +
		"\x00\x00\x00\x00" // and no next
}
