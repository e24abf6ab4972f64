package heic

import (
	"encoding/binary"
	"strings"

	"doubletap/internal/photo/heif"
)

// still returns a file of nothing but one coded picture. It is all that libheif gets to see: what a stranger's file says
// of crops, colours and parts is read by package heif, and a brand, a size or a length that would lead libheif astray
// does not reach it.
func still(c *heif.Coded) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(c.Width)), uint32(c.Height))
	length := c.Size() + 4*len(c.Units)
	head := box("ftyp", "heic\x00\x00\x00\x00mif1heic")
	meta := func(at int) string {
		where := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(at)), uint32(length))
		return box("meta", whole+box("hdlr", whole+"\x00\x00\x00\x00pict"+whole+whole+whole+"\x00")+
			box("pitm", whole+"\x00\x01")+
			box("iloc", whole+"\x44\x00\x00\x01\x00\x01\x00\x00\x00\x01"+string(where))+
			box("iinf", whole+"\x00\x01"+box("infe", "\x02\x00\x00\x00\x00\x01\x00\x00hvc1\x00"))+
			box("iprp", box("ipco", configuration(c)+box("ispe", whole+string(size))+channels(c)+asRGB(c))+
				box("ipma", whole+"\x00\x00\x00\x01\x00\x01\x04\x81\x02\x03\x04")))
	}
	head += meta(len(head) + len(meta(0)) + 8)
	file := make([]byte, 0, len(head)+8+length)
	file = append(file, head...)
	file = binary.BigEndian.AppendUint32(file, uint32(8+length))
	file = append(file, "mdat"...)
	for _, unit := range c.Units {
		file = binary.BigEndian.AppendUint32(file, uint32(len(unit)))
		file = append(file, unit...)
	}
	return file
}

const whole = "\x00\x00\x00\x00" // version 0 and no flags, or a number of 0

func box(name string, parts ...string) string {
	data := strings.Join(parts, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(data)))) + name + data
}

// channels says how many there are, by which libheif knows a picture without colours.
func channels(c *heif.Coded) string {
	depth := string([]byte{byte(c.Depth)})
	if c.Gray() {
		return box("pixi", whole+"\x01"+depth)
	}
	return box("pixi", whole+"\x03"+depth+depth+depth)
}

// asRGB tells libheif of a picture with fewer colours than brightness that it is blue, green and red. It then returns
// the samples unchanged, side by side. Asked for planes, it would make the colours as many as the brightness and fewer
// again, and all around the picture's edge, so around each tile of a phone's, it would take wrong ones.
func asRGB(c *heif.Coded) string {
	if c.SubX < 2 {
		return box("free")
	}
	return box("colr", "nclx\x00\x02\x00\x02\x00\x00\x80")
}

// configuration says how the samples are stored. The parameter sets lie before the slices, not here.
func configuration(c *heif.Coded) string {
	format := byte(chroma420)
	switch {
	case c.Gray():
		format = 0
	case c.SubY == 1:
		format = chroma422 + byte(2-c.SubX)
	}
	depth := byte(c.Depth - 8)
	data := []byte{0: 1, 1: 3, 13: 0xF0, 15: 0xFC, 16: 0xFC | format, 17: 0xF8 | depth, 18: 0xF8 | depth, 21: 0x0F, 22: 0}
	return box("hvcC", string(data))
}
