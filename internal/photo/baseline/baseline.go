// Package baseline decodes the JPEGs that phones make, at 8/8, 4/8, 2/8 or 1/8 of their size. A rendition needs a
// fraction of a photo's samples; the standard library cannot scale and spends most of its time and memory on the
// other samples.
//
// It reads sequential Huffman JPEGs of 8 bits, gray or YCbCr, in one scan. For everything else Decode returns
// ErrUnsupported; image/jpeg may read it.
package baseline

import (
	"context"
	"errors"

	"github.com/doubletap/doubletap/internal/photo/plane"
)

var (
	// ErrUnsupported is returned for JPEGs that may be valid but that this package does not read.
	ErrUnsupported = errors.New("baseline: not a baseline JPEG in one scan")
	// ErrMalformed is returned for what is not a JPEG, or is a damaged one.
	ErrMalformed = errors.New("baseline: malformed JPEG")
	// ErrShort is returned when the data ends before the picture does.
	ErrShort = errors.New("baseline: JPEG ends too early")
	// ErrTooLarge is returned when the picture would take more samples than allowed.
	ErrTooLarge = errors.New("baseline: JPEG too large")
)

// Decode returns src at eighths/8 of its size, eighths being 8, 4, 2 or 1. The picture takes at most limit samples,
// all planes together; of a larger one Decode returns ErrTooLarge. It allocates nothing else of note. A picture that
// is damaged past its first rows is gray from there on. The caller releases the picture. Decode ends soon after ctx
// does.
func Decode(ctx context.Context, src []byte, eighths, limit int) (*plane.Picture, error) {
	return decode(ctx, src, eighths, limit, false)
}

// Check returns the error that Decode would return for damage, for the price of the first row of blocks: without it there is no picture.
func Check(ctx context.Context, src []byte, limit int) error {
	p, err := decode(ctx, src, 1, limit, true)
	if err == nil {
		p.Release()
	}
	return err
}

func decode(ctx context.Context, src []byte, eighths, limit int, firstRow bool) (*plane.Picture, error) {
	d := decoderPool.Get().(*decoder)
	*d = decoder{eighths: eighths, limit: limit, firstRow: firstRow}
	defer func() {
		d.picture, d.bits.src = nil, nil // the pool must not keep them alive
		decoderPool.Put(d)
	}()
	if err := d.readHeaders(src); err != nil {
		return nil, err
	}
	if err := d.decodeScan(ctx); err != nil {
		d.picture.Release()
		return nil, err
	}
	return d.picture, nil
}
