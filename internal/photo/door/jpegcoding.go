package door

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"sync"
)

// jpegCoding follows how a JPEG's picture is coded, and refuses what neither package baseline nor image/jpeg decodes.
// The standard allows more than both, and what is let in must be shown.
type jpegCoding struct {
	frame          jpegFrame
	scales         bool // package baseline reads it, and only its first scan
	scanCount      int
	quant          [4]bool
	huffman        [2][4]bool // of DC and AC
	seenComponents [4]bool    // components whose DC, the mean of a block, was in a scan
}

// readSegment reads a segment that says how the picture is coded. missing holds the standard tables that must be put
// before it: the frames of motion JPEGs leave them out.
func (c *jpegCoding) readSegment(mark byte, data []byte) (missing string, err error) {
	switch mark {
	case markDQT:
		return "", c.readQuantTables(data)
	case markDHT:
		return "", c.readHuffmanTables(data)
	case markSOS:
		return c.readScan(data)
	case markDRI:
		if len(data) != 2 {
			return "", brokenBecause("a part of it has the wrong size")
		}
		return "", nil
	}
	if c.frame.mark != 0 {
		return "", brokenBecause("it has two pictures in one")
	}
	c.frame, err = readFrame(&Info{}, mark, data)
	return "", err
}

// readQuantTables reads a DQT.
func (c *jpegCoding) readQuantTables(data []byte) error {
	for len(data) > 0 {
		wide, id := int(data[0]>>4), data[0]&15
		if wide > 1 || id > 3 || len(data) < 1+64<<wide {
			return brokenBecause("a table of it has the wrong size")
		}
		c.quant[id] = true
		data = data[1+64<<wide:]
	}
	return nil
}

// readHuffmanTables reads a DHT.
func (c *jpegCoding) readHuffmanTables(data []byte) error {
	for len(data) > 0 {
		if len(data) < 17 || data[0]>>4 > 1 || data[0]&15 > 3 {
			return brokenBecause("a table of it has the wrong size")
		}
		n, codes := 0, 0 // how many of the codes of 16 bits are used
		for i, count := range data[1:17] {
			n += int(count)
			codes += int(count) << (15 - i)
		}
		if n > 256 || len(data) < 17+n || codes > 1<<16 {
			return brokenBecause("a table of it has the wrong size")
		}
		if !c.scales && (n == 0 || c.frame.mark == markSOF0 && data[0]&15 > 1) {
			return ErrCoding // image/jpeg reads neither an empty table nor a third one
		}
		c.huffman[data[0]>>4][data[0]&15] = true
		data = data[17+n:]
	}
	return nil
}

// readScan reads a scan's header and returns the standard tables that it uses and the file lacks.
func (c *jpegCoding) readScan(data []byte) (missing string, err error) {
	// a picture sent in thousands of scans of a few bytes would keep a decoder busy for hours
	if c.scanCount++; c.scanCount > maxScans {
		return "", ErrCoding
	}
	f := &c.frame
	if f.mark == 0 {
		return "", brokenBecause("it has no frame")
	}
	if c.scales && c.scanCount > 1 {
		return "", nil // package baseline does not read it
	}
	if len(data) < 6 || int(data[0]) < 1 || int(data[0]) > f.componentCount || len(data) != 4+2*int(data[0]) {
		return "", brokenBecause("a part of it has the wrong size")
	}
	count, blocks := int(data[0]), 0
	first, last, high, low := data[1+2*count], data[2+2*count], data[3+2*count]>>4, data[3+2*count]&15
	if f.mark != markSOF2 {
		first, last, high, low = 0, 63, 0, 0 // whatever the header says
	}
	if first > last || last > 63 || f.mark == markSOF2 && (first == 0) != (last == 0) || first > 0 && count > 1 || high > 0 && high != low+1 {
		return "", brokenBecause("a part of it is of no known kind")
	}
	var named [4]bool
	for i := range count {
		component := bytes.IndexByte(f.names[:f.componentCount], data[1+2*i])
		if component < 0 || named[component] {
			return "", brokenBecause("a part of it has colours that it does not have")
		}
		named[component] = true
		h, v := f.h[component], f.v[component]
		blocks += h * v
		if count == 1 && f.componentCount > 1 && (h > 1 && h < f.maxHorizontal() || v > 1 && v < f.maxVertical()) {
			return "", ErrCoding // image/jpeg counts blocks that are not there
		}
		if !c.quant[f.quant[component]] {
			return "", brokenBecause("it lacks a table")
		}
		c.seenComponents[component] = c.seenComponents[component] || first == 0
		for class, id := range [2]byte{data[2+2*i] >> 4, data[2+2*i] & 15} {
			used := class == 0 && first == 0 && high == 0 || class == 1 && last > 0
			switch {
			case !used && id <= 1: // image/jpeg wants a valid number all the same
			case id > 3:
				return "", brokenBecause("it lacks a table")
			case !c.scales && f.mark == markSOF0 && id > 1:
				return "", ErrCoding
			case !used || c.huffman[class][id]:
			case id > 1 || f.mark == markSOF2:
				return "", ErrCoding // there is no standard table
			default:
				missing += standardTables()[class][id]
				c.huffman[class][id] = true
			}
		}
	}
	if f.componentCount > 1 && blocks > 10 {
		return "", ErrCoding // more than any standard allows in a scan
	}
	return missing, nil
}

// checkComplete returns ErrShort if a component of the picture was in no scan: image/jpeg would show such a picture
// green.
func (c *jpegCoding) checkComplete() error {
	if c.scanCount == 0 {
		return brokenBecause("it has no picture")
	}
	for _, seen := range c.seenComponents[:c.frame.componentCount] {
		if !seen {
			return ErrShort
		}
	}
	return nil
}

// standardTables returns the Huffman tables of the standard's annex K as segments, by class (DC, AC) and number
// (brightness, colours). The standard library writes no others.
var standardTables = sync.OnceValue(func() (tables [2][2]string) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 1, 1), image.YCbCrSubsampleRatio420), nil); err != nil {
		panic(err) // writing to a buffer does not fail
	}
	for s := (jpegSegments{src: b.Bytes(), at: 2}); s.nextSegment() == nil && s.mark != markSOS; {
		if s.mark != markDHT {
			continue
		}
		for data := s.data; len(data) > 0; {
			size := 17
			for _, count := range data[1:17] {
				size += int(count)
			}
			segment := binary.BigEndian.AppendUint16([]byte{0xFF, markDHT}, uint16(2+size))
			tables[data[0]>>4][data[0]&15] = string(append(segment, data[:size]...))
			data = data[size:]
		}
	}
	return tables
})
