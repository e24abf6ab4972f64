package heif

// bits reads a parameter set of HEVC, of which an encoder has made one text of
// bits. After the end it reads zeros, and short is true.
type bits struct {
	data  []byte
	at    int // in bits
	short bool
}

// newBits returns the bits of a NAL unit, without the bytes that keep start codes out of it.
func newBits(unit []byte) *bits {
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
	return &bits{data: clean}
}

// read reads a number of so many bits, up to 32.
func (b *bits) read(n int) (v uint32) {
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

func (b *bits) flag() bool { return b.read(1) == 1 }

func (b *bits) skip(n int) {
	b.at += n
	b.short = b.short || b.at > 8*len(b.data)
}

// golomb reads a number as HEVC writes those of which most are small.
func (b *bits) golomb() uint32 {
	zeros := 0
	for !b.flag() {
		if zeros++; zeros > 31 || b.short {
			b.short = true
			return 0
		}
	}
	return 1<<zeros - 1 + b.read(zeros)
}
