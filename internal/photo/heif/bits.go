package heif

// bitReader reads a parameter set of HEVC, which is one stream of bits. After the end it reads zeros, and short is
// true.
type bitReader struct {
	data  []byte
	at    int // in bits
	short bool
}

// newBitReader returns a reader of a NAL unit, without the bytes that were inserted to keep start codes out of it.
func newBitReader(unit []byte) *bitReader {
	clean := make([]byte, 0, len(unit))
	zeros := 0
	for _, b := range unit {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		zeros++
		if b != 0 {
			zeros = 0
		}
		clean = append(clean, b)
	}
	return &bitReader{data: clean}
}

// readBits reads a number of n bits, at most 32.
func (b *bitReader) readBits(n int) (v uint32) {
	for range n {
		if b.at >= 8*len(b.data) {
			b.short = true
			return 0
		}
		v = v<<1 | uint32(b.data[b.at/8]>>(7-b.at%8)&1)
		b.at++
	}
	return v
}

func (b *bitReader) readFlag() bool { return b.readBits(1) == 1 }

func (b *bitReader) skipBits(n int) {
	b.at += n
	b.short = b.short || b.at > 8*len(b.data)
}

// readGolomb reads a number in HEVC's Exp-Golomb code, which is short for small numbers.
func (b *bitReader) readGolomb() uint32 {
	zeros := 0
	for !b.readFlag() {
		if zeros++; zeros > 31 || b.short {
			b.short = true
			return 0
		}
	}
	return 1<<zeros - 1 + b.readBits(zeros)
}
