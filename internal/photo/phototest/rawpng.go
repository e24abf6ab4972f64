package phototest

import (
	"encoding/binary"
	"strings"
)

// EncodeRawPNG returns a PNG of any depth, in bits, and colour type, which the standard library does not write.
// before holds the chunks between the size and the pixels. sample returns channel c at x, y.
func EncodeRawPNG(w, h int, depth, color byte, interlaced bool, before string, sample func(c, x, y int) int) []byte {
	channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
	passes := [][4]int{{0, 0, 1, 1}} // the first x and y of each pass, and the steps
	if interlaced {
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	var raw strings.Builder
	for _, p := range passes {
		for y := p[1]; y < h && p[0] < w; y += p[3] {
			raw.WriteByte(0) // no filter
			acc, bits := 0, 0
			for x := p[0]; x < w; x += p[2] {
				for c := range channels {
					acc, bits = acc<<depth|sample(c, x, y), bits+int(depth)
					for ; bits >= 8; bits -= 8 {
						raw.WriteByte(byte(acc >> (bits - 8)))
					}
					acc &= 1<<bits - 1
				}
			}
			if bits > 0 {
				raw.WriteByte(byte(acc << (8 - bits)))
			}
		}
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	head = append(head, depth, color, 0, 0, 0)
	if interlaced {
		head[12] = 1
	}
	return []byte("\x89PNG\r\n\x1a\n" + PNGChunk("IHDR", string(head)) + before + PNGChunk("IDAT", Deflate(strings.NewReader(raw.String()))) + PNGChunk("IEND", ""))
}
