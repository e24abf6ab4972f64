// Package heif reads what a HEIC file says of its picture: which coded pictures it is put together from, how each is
// cropped and turned, and what its samples mean. It decodes no samples; package heic does.
package heif

import (
	"encoding/binary"
	"errors"
)

// The reasons why ReadPrimary returns no picture.
var (
	ErrShort       = errors.New("heif: the file ends too early")
	ErrDamaged     = errors.New("heif: the file contradicts itself")
	ErrKind        = errors.New("heif: no HEVC still")
	ErrUnsupported = errors.New("heif: coded in a way that is not read")
	ErrLarge       = errors.New("heif: more to decode than is allowed")
	ErrDirectory   = errors.New("heif: a directory larger than any photo's")
)

// box is one box of a file: its name and what is in it.
type box struct {
	name string
	data []byte
}

// nextBox takes the first box off b.
func nextBox(b []byte) (first box, rest []byte, err error) {
	if len(b) < 8 {
		return box{}, nil, ErrShort
	}
	size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	switch size {
	case 0: // up to the end
		size = uint64(len(b))
	case 1:
		if len(b) < 16 {
			return box{}, nil, ErrShort
		}
		size, head = binary.BigEndian.Uint64(b[8:]), 16
	}
	if size < head {
		return box{}, nil, ErrDamaged
	}
	if size > uint64(len(b)) {
		return box{}, nil, ErrShort
	}
	return box{string(b[4:8]), b[head:size]}, b[size:], nil
}

// forEachBox calls visit for the boxes of b in order, until the first error, which it returns.
func forEachBox(b []byte, visit func(box) error) error {
	for len(b) > 0 {
		first, rest, err := nextBox(b)
		if err != nil {
			return err
		}
		if err := visit(first); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// fieldReader reads numbers from the front of a box. After the first that is missing, all are 0 and short is true, so
// that a caller checks only once, at the end.
type fieldReader struct {
	rest  []byte
	short bool
}

func (f *fieldReader) takeBytes(n int) []byte {
	if n < 0 || len(f.rest) < n {
		f.rest, f.short = nil, true
		return nil
	}
	taken := f.rest[:n]
	f.rest = f.rest[n:]
	return taken
}

// readNumber reads a number of 0 to 8 bytes.
func (f *fieldReader) readNumber(bytes int) (n uint64) {
	for _, b := range f.takeBytes(bytes) {
		n = n<<8 | uint64(b)
	}
	return n
}

// readVersion reads the version and the flags that some boxes begin with.
func (f *fieldReader) readVersion() (version, flags int) {
	n := f.readNumber(4)
	return int(n >> 24), int(n & 0xFFFFFF)
}

// shortError returns ErrDamaged if the box ended too early, else nil.
func (f *fieldReader) shortError() error {
	if f.short {
		return ErrDamaged
	}
	return nil
}
