package phototest

import (
	"encoding/binary"
	"strings"
)

// HEIF describes a HEIF file item by item, of kinds that no encoder here writes. The first item has the number 1.
type HEIF struct {
	Brands  string // four letters each, the major one first; "heicmif1" if empty
	Primary int    // 1 if zero
	Items   []HEIFItem
}

// HEIFItem is one item of a HEIF. Its data lies in the directory if Inside, else in the file.
type HEIFItem struct {
	Kind       string
	Data       string
	Inside     bool
	Properties []string // whole boxes
	References []HEIFReference
}

// HEIFReference refers from the item that has it to other items, by number.
type HEIFReference struct {
	Kind string
	To   []int
}

// HEIFBox returns a box of MPEG-4.
func HEIFBox(name string, data ...string) string {
	all := strings.Join(data, "")
	return bigEndian32(8+len(all)) + name + all
}

// HEIFFullBox returns a box that has version 0 and no flags.
func HEIFFullBox(name string, data ...string) string {
	return HEIFBox(name, bigEndian32(0), strings.Join(data, ""))
}

func bigEndian16(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(n))) }
func bigEndian32(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }

// ExtentProperty, RotationProperty, MirrorProperty, ProfileProperty and AlphaProperty return properties: the size;
// quarter turns against the clock; 0 for upside down and 1 for left to right; an ICC profile; and that the item is
// another's alpha.
func ExtentProperty(w, h int) string    { return HEIFFullBox("ispe", bigEndian32(w), bigEndian32(h)) }
func RotationProperty(turns int) string { return HEIFBox("irot", string([]byte{byte(turns)})) }
func MirrorProperty(axis int) string    { return HEIFBox("imir", string([]byte{byte(axis)})) }
func ProfileProperty(icc string) string { return HEIFBox("colr", "prof", icc) }
func AlphaProperty() string             { return HEIFFullBox("auxC", "urn:mpeg:hevc:2015:auxid:1\x00") }

// CropProperty returns the property that crops to w x h. right and below are how far, in half samples, the middle
// lies from the picture's.
func CropProperty(w, h, right, below int) string {
	return HEIFBox("clap", bigEndian32(w), bigEndian32(1), bigEndian32(h), bigEndian32(1), bigEndian32(right), bigEndian32(2), bigEndian32(below), bigEndian32(2))
}

// ColorsProperty returns the property that says what samples mean, by the numbers of H.273.
func ColorsProperty(primaries, transfer, matrix int, fullRange bool) string {
	flag := "\x00"
	if fullRange {
		flag = "\x80"
	}
	return HEIFBox("colr", "nclx", bigEndian16(primaries), bigEndian16(transfer), bigEndian16(matrix), flag)
}

// GridItem returns an item that shows other items in rows, on a canvas of w x h.
func GridItem(rows, columns, w, h int, items ...int) HEIFItem {
	data := string([]byte{0, 0, byte(rows - 1), byte(columns - 1)}) + bigEndian16(w) + bigEndian16(h)
	return HEIFItem{Kind: "grid", Data: data, Inside: true, Properties: []string{ExtentProperty(w, h)}, References: []HEIFReference{{"dimg", items}}}
}

// OverlayItem returns an item that shows other items over each other, on a canvas of w x h and a colour. at has two
// numbers for each, its place.
func OverlayItem(w, h int, fill [4]uint16, at []int, items ...int) HEIFItem {
	data := "\x00\x00"
	for _, c := range fill {
		data += bigEndian16(int(c))
	}
	data += bigEndian16(w) + bigEndian16(h)
	for _, n := range at {
		data += bigEndian16(n)
	}
	return HEIFItem{Kind: "iovl", Data: data, Inside: true, Properties: []string{ExtentProperty(w, h)}, References: []HEIFReference{{"dimg", items}}}
}

// Encode returns the file.
func (h HEIF) Encode() []byte {
	brands := h.Brands
	if brands == "" {
		brands = "heicmif1"
	}
	head := HEIFBox("ftyp", brands[:4], bigEndian32(0), brands)
	meta := h.metaBox(0)
	meta = h.metaBox(len(head) + len(meta) + 8)
	var data string
	for _, it := range h.Items {
		if !it.Inside {
			data += it.Data
		}
	}
	return []byte(head + meta + HEIFBox("mdat", data))
}

// metaBox returns the meta box of a file whose data begins at at.
func (h HEIF) metaBox(at int) string {
	var entries, places, references, properties, links, inside string
	count, linked := 0, 0
	for i, it := range h.Items {
		entries += HEIFBox("infe", "\x02\x00\x00\x00", bigEndian16(i+1), bigEndian16(0), it.Kind, "\x00")
		place, method := at, 0
		if it.Inside {
			place, method = len(inside), 1
			inside += it.Data
		} else {
			at += len(it.Data)
		}
		if it.Data != "" {
			places += bigEndian16(i+1) + bigEndian16(method) + bigEndian16(0) + bigEndian16(1) + bigEndian32(place) + bigEndian32(len(it.Data))
			count++
		}
		for _, r := range it.References {
			to := ""
			for _, id := range r.To {
				to += bigEndian16(id)
			}
			references += HEIFBox(r.Kind, bigEndian16(i+1), bigEndian16(len(r.To)), to)
		}
		links += bigEndian16(i+1) + string([]byte{byte(len(it.Properties))})
		for _, p := range it.Properties {
			properties += p
			linked++
			links += bigEndian16(linked)
		}
	}
	return HEIFFullBox("meta", HEIFFullBox("hdlr", bigEndian32(0), "pict", bigEndian32(0), bigEndian32(0), bigEndian32(0), "\x00"), HEIFFullBox("pitm", bigEndian16(max(h.Primary, 1))),
		HEIFBox("iloc", "\x01\x00\x00\x00\x44\x00", bigEndian16(count), places), HEIFFullBox("iinf", bigEndian16(len(h.Items)), entries),
		HEIFFullBox("iref", references), HEIFBox("iprp", HEIFBox("ipco", properties), HEIFBox("ipma", "\x00\x00\x00\x01", bigEndian32(len(h.Items)), links)), HEIFBox("idat", inside))
}
