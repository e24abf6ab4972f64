package heic

import (
	"encoding/binary"
	"strings"

	"github.com/doubletap/doubletap/internal/photo/heif"
)

// encodeStill returns a HEIC file of one coded picture and nothing else. It is all that libheif reads: package heif
// reads what a stranger's file says of crops, colours and parts, so a brand, a size or a length that would mislead
// libheif does not reach it.
func encodeStill(c *heif.Coded) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(c.Width)), uint32(c.Height))
	length := c.ByteCount() + 4*len(c.Units)
	head := encodeBox("ftyp", "heic\x00\x00\x00\x00mif1heic")
	meta := func(at int) string {
		where := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(at)), uint32(length))
		return encodeBox("meta", zeroWord+encodeBox("hdlr", zeroWord+"\x00\x00\x00\x00pict"+zeroWord+zeroWord+zeroWord+"\x00")+
			encodeBox("pitm", zeroWord+"\x00\x01")+
			encodeBox("iloc", zeroWord+"\x44\x00\x00\x01\x00\x01\x00\x00\x00\x01"+string(where))+
			encodeBox("iinf", zeroWord+"\x00\x01"+encodeBox("infe", "\x02\x00\x00\x00\x00\x01\x00\x00hvc1\x00"))+
			encodeBox("iprp", encodeBox("ipco", configurationBox(c)+encodeBox("ispe", zeroWord+string(size))+channelsBox(c)+rgbColorBox(c))+
				encodeBox("ipma", zeroWord+"\x00\x00\x00\x01\x00\x01\x04\x81\x02\x03\x04")))
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

const zeroWord = "\x00\x00\x00\x00" // version 0 and no flags, or a number of 0

func encodeBox(name string, parts ...string) string {
	data := strings.Join(parts, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(data)))) + name + data
}

// channelsBox returns the box that says how many channels there are, by which libheif knows a picture without
// colours.
func channelsBox(c *heif.Coded) string {
	depth := string([]byte{byte(c.Depth)})
	if c.IsGray() {
		return encodeBox("pixi", zeroWord+"\x01"+depth)
	}
	return encodeBox("pixi", zeroWord+"\x03"+depth+depth+depth)
}

// rgbColorBox returns the box that makes libheif take a picture with subsampled colours for green, blue and red.
// libheif then returns the samples unchanged, side by side. Asked for planes, it would upsample the colours and
// subsample them again, and get wrong ones all around the picture's edge, and so around each tile of a phone's photo.
func rgbColorBox(c *heif.Coded) string {
	if c.SubX < 2 {
		return encodeBox("free")
	}
	return encodeBox("colr", "nclx\x00\x02\x00\x02\x00\x00\x80")
}

// configurationBox returns the box that says how the samples are stored. The parameter sets lie before the slices,
// not in it.
func configurationBox(c *heif.Coded) string {
	format := byte(chroma420)
	switch {
	case c.IsGray():
		format = 0
	case c.SubY == 1:
		format = chroma422 + byte(2-c.SubX)
	}
	depth := byte(c.Depth - 8)
	data := []byte{0: 1, 1: 3, 13: 0xF0, 15: 0xFC, 16: 0xFC | format, 17: 0xF8 | depth, 18: 0xF8 | depth, 21: 0x0F, 22: 0}
	return encodeBox("hvcC", string(data))
}
