package phototest

import (
	"encoding/binary"
	"strings"
)

// HEIF is a file that is put together item by item, as no encoder of ours does it. The first item has the number 1.
type HEIF struct {
	Brands  string // four letters each, the major one first; "heicmif1" if empty
	Primary int    // 1 if zero
	Items   []HEIFItem
}

// HEIFItem is one item. Its data lies in the file, or in the directory if Inside.
type HEIFItem struct {
	Kind       string
	Data       string
	Inside     bool
	Properties []string // whole boxes
	References []HEIFReference
}

// HEIFReference is from the item that has it to others.
type HEIFReference struct {
	Kind string
	To   []int
}

// Box returns a box of MPEG-4.
func Box(name string, data ...string) string {
	all := strings.Join(data, "")
	return u32(8+len(all)) + name + all
}

// FullBox returns a box that has a version, 0, and flags, none.
func FullBox(name string, data ...string) string { return Box(name, u32(0), strings.Join(data, "")) }

func u16(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(n))) }
func u32(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }

// Extent, Rotation, Mirror, Crop, Colors, Profile and Alpha return properties: the size, quarter turns against the
// clock, 0 for upside down and 1 for left to right, what stays around the middle, numbers of H.273, an ICC profile,
// and that the item says how opaque another is.
func Extent(w, h int) string    { return FullBox("ispe", u32(w), u32(h)) }
func Rotation(turns int) string { return Box("irot", string([]byte{byte(turns)})) }
func Mirror(axis int) string    { return Box("imir", string([]byte{byte(axis)})) }
func Profile(icc string) string { return Box("colr", "prof", icc) }
func Alpha() string             { return FullBox("auxC", "urn:mpeg:hevc:2015:auxid:1\x00") }

// Crop keeps w x h, whose middle is right and below of the picture's by halves.
func Crop(w, h, right, below int) string {
	return Box("clap", u32(w), u32(1), u32(h), u32(1), u32(right), u32(2), u32(below), u32(2))
}

// Colors returns the property that says what samples mean.
func Colors(primaries, transfer, matrix int, fullRange bool) string {
	flag := "\x00"
	if fullRange {
		flag = "\x80"
	}
	return Box("colr", "nclx", u16(primaries), u16(transfer), u16(matrix), flag)
}

// GridItem lays items out in rows.
func GridItem(rows, columns, w, h int, items ...int) HEIFItem {
	data := string([]byte{0, 0, byte(rows - 1), byte(columns - 1)}) + u16(w) + u16(h)
	return HEIFItem{Kind: "grid", Data: data, Inside: true, Properties: []string{Extent(w, h)}, References: []HEIFReference{{"dimg", items}}}
}

// OverlayItem lays items over each other on a canvas of a colour, each at the place of two numbers.
func OverlayItem(w, h int, fill [4]uint16, at []int, items ...int) HEIFItem {
	data := "\x00\x00"
	for _, c := range fill {
		data += u16(int(c))
	}
	data += u16(w) + u16(h)
	for _, n := range at {
		data += u16(n)
	}
	return HEIFItem{Kind: "iovl", Data: data, Inside: true, Properties: []string{Extent(w, h)}, References: []HEIFReference{{"dimg", items}}}
}

// Encode returns the file.
func (h HEIF) Encode() []byte {
	brands := h.Brands
	if brands == "" {
		brands = "heicmif1"
	}
	head := Box("ftyp", brands[:4], u32(0), brands)
	meta := h.directory(0)
	meta = h.directory(len(head) + len(meta) + 8)
	var data string
	for _, it := range h.Items {
		if !it.Inside {
			data += it.Data
		}
	}
	return []byte(head + meta + Box("mdat", data))
}

// directory returns the meta box when the data begins at a place.
func (h HEIF) directory(at int) string {
	var entries, places, references, properties, links, inside string
	count, linked := 0, 0
	for i, it := range h.Items {
		entries += Box("infe", "\x02\x00\x00\x00", u16(i+1), u16(0), it.Kind, "\x00")
		place, method := at, 0
		if it.Inside {
			place, method = len(inside), 1
			inside += it.Data
		} else {
			at += len(it.Data)
		}
		if it.Data != "" {
			places += u16(i+1) + u16(method) + u16(0) + u16(1) + u32(place) + u32(len(it.Data))
			count++
		}
		for _, r := range it.References {
			to := ""
			for _, id := range r.To {
				to += u16(id)
			}
			references += Box(r.Kind, u16(i+1), u16(len(r.To)), to)
		}
		links += u16(i+1) + string([]byte{byte(len(it.Properties))})
		for _, p := range it.Properties {
			properties += p
			linked++
			links += u16(linked)
		}
	}
	return FullBox("meta", FullBox("hdlr", u32(0), "pict", u32(0), u32(0), u32(0), "\x00"), FullBox("pitm", u16(max(h.Primary, 1))),
		Box("iloc", "\x01\x00\x00\x00\x44\x00", u16(count), places), FullBox("iinf", u16(len(h.Items)), entries),
		FullBox("iref", references), Box("iprp", Box("ipco", properties), Box("ipma", "\x00\x00\x00\x01", u32(len(h.Items)), links)), Box("idat", inside))
}
