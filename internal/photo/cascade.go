package photo

import (
	"bytes"
	"context"
	"image/jpeg"
	"math"
	"sync"

	"github.com/disintegration/imaging"

	"doubletap/internal/photo/door"
	"doubletap/internal/photo/plane"
)

// tailSide is the size of the picture that is only looked at for its colours.
// A blurhash of the 1080 would be the same, for 1.8 seconds instead of 3 ms.
const tailSide = 32

// render makes the renditions, each from the smallest picture that is large
// enough: most of them from the one before. A cascade of Lanczos costs 1 to 2 dB
// against the decoded photo each time, and saves two thirds of the work.
func (r Renderer) render(ctx context.Context, base *plane.Picture, info door.Info, profile string) (Result, error) {
	c := cascade{base: base, orientation: info.Orientation}
	defer c.free()
	var result Result
	if !info.Scales { // the headers of a HEIC or an animation may say something else
		info.Width, info.Height = base.W, base.H
	}
	result.Width, result.Height = info.Upright()
	for _, size := range r.sizes() {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		p := c.make(size, result.Width, result.Height)
		jpeg, err := encode(p, size.quality(), profile)
		if err != nil {
			return Result{}, err
		}
		result.Renditions = append(result.Renditions, Rendition{size, p.W, p.H, jpeg})
	}
	tail := c.make(Size{Side: tailSide}, result.Width, result.Height)
	pixels := rgb(tail)
	result.Hash = blurhash(pixels, tail.W, tail.H)
	result.Color = common(pixels)
	return result, nil
}

// cascade is the decoded photo, as it is stored, and what was made of it, upright.
type cascade struct {
	base        *plane.Picture
	orientation int
	made        []*plane.Picture // whole pictures, from large to small
	crops       []*plane.Picture
}

func (c *cascade) free() {
	for _, p := range append(c.made, c.crops...) {
		p.Free()
	}
}

// make returns the photo, w x h upright, in a size. It belongs to the cascade.
func (c *cascade) make(size Size, w, h int) *plane.Picture {
	if size.Crop {
		p := c.square(min(w, h, size.Side), w, h)
		c.crops = append(c.crops, p)
		return p
	}
	p := c.resize(size.of(w, h))
	c.made = append(c.made, p)
	return p
}

// resize returns the photo as w x h, upright, from the smallest picture that is large enough.
func (c *cascade) resize(w, h int) *plane.Picture {
	for i := len(c.made) - 1; i >= 0; i-- {
		if p := c.made[i]; p.W >= w && p.H >= h {
			return plane.Resize(p, w, h, 1)
		}
	}
	if c.orientation >= 5 {
		w, h = h, w
	}
	return plane.Orient(plane.Resize(c.base, w, h, c.orientation), c.orientation)
}

// square returns the middle of the photo, w x h upright, made as small as the square is.
func (c *cascade) square(side, w, h int) *plane.Picture {
	scale := float64(side) / float64(min(w, h))
	p := c.resize(max(int(math.Round(float64(w)*scale)), side), max(int(math.Round(float64(h)*scale)), side))
	defer p.Free()
	middle := imaging.CropCenter(p.Image(), side, side)
	return convert(middle, middle.Rect, p.Gray())
}

// of returns how large a photo of w x h is when it fits into the size.
func (s Size) of(w, h int) (int, int) {
	if w <= s.Side && h <= s.Side {
		return w, h
	}
	scale := float64(s.Side) / float64(max(w, h))
	fit := func(n int) int { return max(int(math.Round(float64(n)*scale)), 1) }
	return fit(w), fit(h)
}

// buffers take the encoder's output, whose size nobody knows before.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// encode returns p as a JPEG with a profile's marker.
func encode(p *plane.Picture, quality int, profile string) ([]byte, error) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := jpeg.Encode(b, p.Image(), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	out := make([]byte, 0, b.Len()+len(profile))
	out = append(out, b.Next(2)...) // the marker that begins it
	out = append(out, profile...)
	return append(out, b.Bytes()...), nil
}
