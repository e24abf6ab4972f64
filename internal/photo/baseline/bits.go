package baseline

import (
	"bytes"
	"encoding/binary"
)

// bitReader reads a scan's data. The next bit is the highest of word, of which the
// upper n bits are valid.
type bitReader struct {
	word uint64
	n    uint
	at   int
	src  []byte
	// paddingBits counts the zero bits that were added after the data's end. A picture that needs any of them is
	// incomplete.
	paddingBits uint
}

// fillWord makes at least 56 bits valid.
func (b *bitReader) fillWord() {
	if b.at+8 <= len(b.src) {
		next := binary.BigEndian.Uint64(b.src[b.at:])
		// a byte 0xFF is followed by a zero that means nothing, so it must be read alone; one in 256 bytes is 0xFF
		if inv := ^next; (inv-0x0101010101010101)&next&0x8080808080808080 == 0 {
			b.word |= next >> b.n
			b.at += int(63-b.n) >> 3
			b.n |= 56
			return
		}
	}
	for b.n <= 56 {
		next, ok := b.nextByte()
		if !ok {
			b.paddingBits += 8
		}
		b.word |= uint64(next) << (56 - b.n)
		b.n += 8
	}
}

func (b *bitReader) nextByte() (byte, bool) {
	if b.at >= len(b.src) {
		return 0, false
	}
	c := b.src[b.at]
	if c == 0xFF {
		if b.at+1 >= len(b.src) || b.src[b.at+1] != 0 {
			return 0, false // a marker
		}
		b.at++
	}
	b.at++
	return c, true
}

// isShort reports whether bits were used that are not in the file.
func (b *bitReader) isShort() bool { return b.paddingBits > b.n }

// resumeAtRestart continues after the next restart marker, which must have the number n, 0 to 7. It skips what lies
// before it. It returns ErrMalformed if another marker is in its place and ErrShort if there is none.
func (b *bitReader) resumeAtRestart(n int) error {
	if b.isShort() {
		return ErrShort
	}
	b.word, b.n, b.paddingBits = 0, 0, 0
	for b.at < len(b.src) {
		i := bytes.IndexByte(b.src[b.at:], 0xFF)
		if i < 0 || b.at+i+1 >= len(b.src) {
			break
		}
		b.at += i + 1
		switch c := b.src[b.at]; {
		case c == rst0+byte(n):
			b.at++
			return nil
		case c != 0 && c != 0xFF:
			return ErrMalformed
		}
	}
	return ErrShort
}
