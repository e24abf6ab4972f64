package photo

import (
	"bytes"
	"context"
	"image/jpeg"
	"math"
	"sync"

	"github.com/disintegration/imaging"

	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/plane"
)

// sampleSide is the side, in pixels, of the picture that the blurhash and the colour are computed from. A blurhash of
// the 1080 would be the same, but would take 1.8 seconds instead of 3 ms.
const sampleSide = 32

// renderAll makes the renditions, each from the smallest picture that is large enough, which mostly is the one before
// it. A cascade of Lanczos costs 1 to 2 dB against the decoded photo each time, and saves two thirds of the work.
func (r Renderer) renderAll(ctx context.Context, base *plane.Picture, info door.Info, profile string) (Result, error) {
	c := renditionCascade{base: base, orientation: info.Orientation}
	defer c.freePictures()
	var result Result
	if !info.Scales { // the headers of a HEIC or an animation may give another size
		info.Width, info.Height = base.W, base.H
	}
	result.Width, result.Height = info.UprightSize()
	for _, size := range r.sizesOrDefault() {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		p := c.makeSize(size, result.Width, result.Height)
		jpeg, err := encodeJPEG(p, size.jpegQuality(), profile)
		if err != nil {
			return Result{}, err
		}
		result.Renditions = append(result.Renditions, Rendition{size, p.W, p.H, jpeg})
	}
	tail := c.makeSize(Size{Side: sampleSide}, result.Width, result.Height)
	pixels := rgbPixelsOf(tail)
	result.Hash = encodeBlurhash(pixels, tail.W, tail.H)
	result.Color = mostCommonColor(pixels)
	return result, nil
}

// renditionCascade holds the decoded photo, oriented as it is stored, and the pictures made from it, upright.
type renditionCascade struct {
	base        *plane.Picture
	orientation int
	wholes      []*plane.Picture // whole pictures, from large to small
	crops       []*plane.Picture
}

func (c *renditionCascade) freePictures() {
	for _, p := range append(c.wholes, c.crops...) {
		p.Release()
	}
}

// makeSize returns the photo, which is w x h when upright, in a size. The cascade owns the result and frees it.
func (c *renditionCascade) makeSize(size Size, w, h int) *plane.Picture {
	if size.Crop {
		p := c.cropSquare(min(w, h, size.Side), w, h)
		c.crops = append(c.crops, p)
		return p
	}
	p := c.resizeUpright(size.fitInto(w, h))
	c.wholes = append(c.wholes, p)
	return p
}

// resizeUpright returns the photo upright, as w x h, made from the smallest picture that is large enough. The caller
// frees it.
func (c *renditionCascade) resizeUpright(w, h int) *plane.Picture {
	for i := len(c.wholes) - 1; i >= 0; i-- {
		if p := c.wholes[i]; p.W >= w && p.H >= h {
			return plane.Resize(p, w, h, 1)
		}
	}
	if c.orientation >= 5 {
		w, h = h, w
	}
	return plane.Orient(plane.Resize(c.base, w, h, c.orientation), c.orientation)
}

// cropSquare returns the middle of the photo, which is w x h when upright, as a square of the given side.
func (c *renditionCascade) cropSquare(side, w, h int) *plane.Picture {
	scale := float64(side) / float64(min(w, h))
	p := c.resizeUpright(max(int(math.Round(float64(w)*scale)), side), max(int(math.Round(float64(h)*scale)), side))
	defer p.Release()
	middle := imaging.CropCenter(p.AsImage(), side, side)
	return convertToPlanes(middle, middle.Rect, p.IsGray())
}

// fitInto returns the width and height of a photo of w x h when it fits into the size.
func (s Size) fitInto(w, h int) (int, int) {
	if w <= s.Side && h <= s.Side {
		return w, h
	}
	scale := float64(s.Side) / float64(max(w, h))
	fit := func(n int) int { return max(int(math.Round(float64(n)*scale)), 1) }
	return fit(w), fit(h)
}

// bufferPool holds buffers for the encoder's output, whose size is not known before.
var bufferPool = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// encodeJPEG returns p as a JPEG; profile holds the markers of its colour profile, or is "".
func encodeJPEG(p *plane.Picture, quality int, profile string) ([]byte, error) {
	b := bufferPool.Get().(*bytes.Buffer)
	defer bufferPool.Put(b)
	b.Reset()
	if err := jpeg.Encode(b, p.AsImage(), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	out := make([]byte, 0, b.Len()+len(profile))
	out = append(out, b.Next(2)...) // the start of image marker
	out = append(out, profile...)
	return append(out, b.Bytes()...), nil
}
