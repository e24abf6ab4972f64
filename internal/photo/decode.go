package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"

	"github.com/doubletap/doubletap/internal/photo/baseline"
	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/plane"
)

// scaleInEighths returns the scale, in eighths, at which a photo is decoded: the smallest at which no size has to be
// enlarged. It is 8 for what package baseline does not decode.
func (r Renderer) scaleInEighths(info door.Info) int {
	if !info.Scales {
		return 8
	}
	long, short := max(info.Width, info.Height), min(info.Width, info.Height)
	for _, k := range []int{1, 2, 4} {
		enough := true
		for _, s := range r.sizesOrDefault() {
			side := long
			if s.Crop {
				side = short
			}
			enough = enough && side*k/8 >= min(s.Side, side)
		}
		if enough {
			return k
		}
	}
	return 8
}

// overheadBytes is what a photo takes in addition to its decoded pixels: the planes of its renditions, tables, the
// JPEGs.
const overheadBytes = 25 << 20

// CostOfInfo returns how many bytes Render holds for a photo, not counting the source itself. It is an upper bound;
// the caller acquires it from a Budget before Render.
func (r Renderer) CostOfInfo(info door.Info) int64 {
	pixels := int64(info.Width) * int64(info.Height)
	switch {
	case info.Scales:
		k := int64(r.scaleInEighths(info))
		return info.Decoded*k*k/64 + overheadBytes
	case info.Kind == door.HEIC: // composed here from parts that libheif decodes in memory of its own
		return info.Decoded + overheadBytes
	case info.Kind == door.JPEG && info.Decoded < 5*pixels:
		return info.Decoded + overheadBytes
	}
	return info.Decoded + pixels*3/2 + pixels*4 + overheadBytes // converted to planes by way of RGB, which is garbage at once
}

// CostOfSource is CostOfInfo for a photo that has not been inspected. It returns the *door.Refusal if door.Inspect
// refuses it.
func (r Renderer) CostOfSource(src []byte) (int64, error) {
	info, err := door.Inspect(src, r.limitsOrDefault())
	if err != nil {
		return 0, err
	}
	return r.CostOfInfo(info), nil
}

// scaledLimit is how many samples package baseline may take at a scale: more than Open lets in.
func (r Renderer) scaledLimit(eighths int) int {
	return 2*r.limitsOrDefault().Scaled*eighths*eighths/64*3/2 + 1<<20
}

// decodePhoto returns the photo as it is stored, at eighths/8 of its size if it scales.
func (r Renderer) decodePhoto(ctx context.Context, src []byte, info door.Info, eighths int) (*plane.Picture, error) {
	if info.Scales {
		p, err := baseline.Decode(ctx, src, eighths, r.scaledLimit(eighths))
		return p, unreadable(ctx, err)
	}
	m, canvas, err := r.decodeWhole(ctx, src, info)
	if err != nil {
		return nil, err
	}
	return planesOf(m, canvas, info.Kind == door.WebP), nil
}

// Check returns ErrUnreadable for a photo that Render could not decode, which only its inside tells. Of a photo that package
// baseline reads, and shows however damaged, it looks at the beginning; any other it decodes, in the memory that Cost says.
// src is what Strip returned, and info what Open did.
func (r Renderer) Check(ctx context.Context, src []byte, info door.Info) (err error) {
	defer recoverPanicInto(&err)
	if info.Scales {
		return unreadable(ctx, baseline.Check(ctx, src, r.scaledLimit(1)))
	}
	_, _, err = r.decodeWhole(ctx, src, info)
	return err
}

// unreadable makes a decoder's error ErrUnreadable, unless the context's end is the cause.
func unreadable(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnreadable, err)
}

// decodeWhole returns a photo that does not scale, and the canvas on which it lies.
func (r Renderer) decodeWhole(ctx context.Context, src []byte, info door.Info) (m image.Image, canvas image.Rectangle, err error) {
	if err := ctx.Err(); err != nil {
		return nil, canvas, err
	}
	from := contextReader{ctx, bytes.NewReader(src)}
	var left, top int // of it on its canvas, unless it says so itself
	switch info.Kind {
	case door.JPEG:
		m, err = jpeg.Decode(from)
	case door.PNG:
		m, err = png.Decode(from)
	case door.GIF:
		m, err = gif.Decode(from) // the first picture; DecodeAll would take 8 GB for a file of 7 MB
	case door.WebP:
		var still []byte
		still, left, top = door.FirstFrame(src)
		m, err = webp.Decode(contextReader{ctx, bytes.NewReader(still)})
	case door.HEIC:
		if r.HEIC == nil {
			return nil, canvas, door.ErrKind
		}
		m, err = r.HEIC.Decode(ctx, src)
	default:
		err = errors.New("no decoder")
	}
	if cause := ctx.Err(); cause != nil {
		return nil, canvas, cause
	}
	if err != nil {
		return nil, canvas, unreadable(ctx, err)
	}
	canvas = m.Bounds()
	if info.Kind == door.GIF || info.Kind == door.WebP { // whose first frame may be a part of it
		canvas = image.Rect(0, 0, info.Width, info.Height).Sub(image.Pt(left, top))
	}
	if canvas.Empty() {
		return nil, canvas, fmt.Errorf("%w: empty", ErrUnreadable)
	}
	return m, canvas, nil
}

// contextReader returns the context's error once the context has ended. The decoders of the standard library take no
// context, but they stop when they cannot read.
type contextReader struct {
	ctx  context.Context
	from io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(b)
}
