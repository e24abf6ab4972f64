package phototest

import (
	"encoding/binary"
	"math"
)

// Texts that must not be found in stored and rendered files.
const (
	CameraModel  = "Doublephone 14 Pro SN-4711"
	XMPText      = "xmp-secret-creator-tool"
	PhotoComment = "a comment with a <script>"
	TrailingFile = "PK\x03\x04 a file behind the picture"
)

// Secrets are all texts that tests look for, with those by which a position, XMP and a second picture are found.
var Secrets = []string{CameraModel, XMPText, PhotoComment, TrailingFile, "47.376887", "ns.adobe.com", "MPF\x00"}

// JPEGSegment returns a JPEG segment.
func JPEGSegment(marker byte, data string) string {
	return string(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(data)+2))) + data
}

// PhoneTIFF returns the TIFF structure of a phone's EXIF: orientation, model and position.
func PhoneTIFF(orientation int) string {
	le := binary.LittleEndian
	entry := func(b []byte, tag, kind uint16, count, value uint32) []byte {
		b = le.AppendUint16(b, tag)
		b = le.AppendUint16(b, kind)
		b = le.AppendUint32(b, count)
		return le.AppendUint32(b, value)
	}
	const ifd0, gps = 8, 8 + 2 + 3*12 + 4
	const texts = gps + 2 + 2*12 + 4
	b := []byte("II*\x00\x08\x00\x00\x00")
	b = le.AppendUint16(b, 3)
	b = entry(b, 0x0110, 2, uint32(len(CameraModel)+1), texts)
	b = entry(b, 0x0112, 3, 1, uint32(orientation))
	b = entry(b, 0x8825, 4, 1, gps)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, 2)
	b = entry(b, 0x0001, 2, 2, 'N')
	b = entry(b, 0x0002, 2, 10, texts+uint32(len(CameraModel)+1))
	b = le.AppendUint32(b, 0)
	return string(b) + CameraModel + "\x0047.376887\x00"
}

// EditorXMP returns an XMP packet such as editors write.
func EditorXMP() string {
	return `<?xpacket begin="" id="W5M0"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1">` + XMPText + `</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
}

// PhoneJPEG returns jpeg as a phone writes it: with EXIF and position, an XMP packet, a colour profile if one is
// given, a comment, and a second picture behind the first. With xmpFirst the XMP stands before the EXIF, as some
// editors write it.
func PhoneJPEG(jpeg []byte, orientation int, profile string, xmpFirst bool) []byte {
	exif := JPEGSegment(0xE1, "Exif\x00\x00"+PhoneTIFF(orientation))
	xmp := JPEGSegment(0xE1, "http://ns.adobe.com/xap/1.0/\x00"+EditorXMP())
	if xmpFirst {
		exif, xmp = xmp, exif
	}
	out := "\xff\xd8" + JPEGSegment(0xE0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00") + exif + xmp
	if profile != "" {
		out += JPEGSegment(0xE2, "ICC_PROFILE\x00\x01\x01"+profile)
	}
	out += JPEGSegment(0xE2, "MPF\x00II*\x00\x08\x00\x00\x00") + JPEGSegment(0xED, "Photoshop 3.0\x00"+CameraModel) + JPEGSegment(0xFE, PhotoComment)
	return append(append([]byte(out), jpeg[2:]...), "\xff\xd8\xff\xe1"+TrailingFile+"\xff\xd9"...)
}

// DisplayP3 returns a colour profile like that of an iPhone. Apple's has 548 bytes, this one fewer.
func DisplayP3() string {
	be := binary.BigEndian
	fixed := func(v float64) uint32 { return uint32(int32(math.Round(v * 65536))) }
	xyz := func(x, y, z float64) string {
		b := []byte("XYZ \x00\x00\x00\x00")
		for _, v := range []float64{x, y, z} {
			b = be.AppendUint32(b, fixed(v))
		}
		return string(b)
	}
	curve := []byte("para\x00\x00\x00\x00\x00\x03\x00\x00")
	for _, v := range []float64{2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045} {
		curve = be.AppendUint32(curve, fixed(v))
	}
	tags := []struct{ name, data string }{
		{"wtpt", xyz(0.96420, 1, 0.82491)},
		{"rXYZ", xyz(0.51512, 0.24120, -0.00105)},
		{"gXYZ", xyz(0.29198, 0.69225, 0.04189)},
		{"bXYZ", xyz(0.15710, 0.06657, 0.78407)},
		{"rTRC", string(curve)}, {"gTRC", string(curve)}, {"bTRC", string(curve)},
	}
	size := 128 + 4 + 12*len(tags)
	table, data := be.AppendUint32(nil, uint32(len(tags))), ""
	for _, t := range tags {
		table = append(table, t.name...)
		table = be.AppendUint32(table, uint32(size+len(data)))
		table = be.AppendUint32(table, uint32(len(t.data)))
		data += t.data
	}
	head := make([]byte, 128)
	be.PutUint32(head, uint32(size+len(data)))
	copy(head[8:], "\x04\x00\x00\x00mntrRGB XYZ ")
	copy(head[36:], "acsp")
	copy(head[68:], xyz(0.96420, 1, 0.82491)[8:])
	return string(head) + string(table) + data
}

// LargeProfile returns DisplayP3 followed by tables that no program reads, size bytes in all. No two of its parts are
// alike.
func LargeProfile(size int) string {
	profile := []byte(DisplayP3())
	for i := len(profile); i < size; i++ {
		profile = append(profile, byte(i^i>>8^i>>16*7))
	}
	binary.BigEndian.PutUint32(profile, uint32(size))
	return string(profile)
}
