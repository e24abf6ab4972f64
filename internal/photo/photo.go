// Package photo turns an uploaded photo into the pictures that screens show: upright, free of everything but the
// picture, and small. One photo is decoded once, no larger than needed, and all sizes come from that.
//
// An upload goes through package door first. This package trusts it no further than that: whatever src is, Render
// returns, takes no more memory than CostOfInfo says, and never panics.
package photo

import (
	"context"
	"errors"
	"fmt"
	"image"
	"runtime/debug"

	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/plane"
)

// Size is one of the sizes in which photos are shown.
type Size struct {
	Side int
	// Crop makes a square from the middle; else the whole photo fits into Side x Side.
	Crop bool
}

// ThumbName returns the size as PocketBase's ?thumb= names it.
func (s Size) ThumbName() string {
	if s.Crop {
		return fmt.Sprintf("%dx%d", s.Side, s.Side)
	}
	return fmt.Sprintf("%dx%df", s.Side, s.Side)
}

// jpegQuality returns the JPEG quality of the size. Large sizes, which people look at closely, get more.
func (s Size) jpegQuality() int {
	if s.Side <= 640 {
		return 75
	}
	return 82
}

// The product's sizes. The largest is 1920 rather than 2048, since that is less than half of a 12 MP photo: such a photo
// is decoded at half its size, and all of the work takes a third less.
var (
	Full   = Size{Side: 1920} // what is served when a request names no size
	Large  = Size{Side: 1080}
	Medium = Size{Side: 640}
	Small  = Size{Side: 320}
	Tile   = Size{Side: 320, Crop: true}
	Avatar = Size{Side: 100, Crop: true}
)

// Sizes are all of them: whole photos before crops, and large before small.
var Sizes = []Size{Full, Large, Medium, Small, Tile, Avatar}

// ThumbNames returns the names of all sizes.
func ThumbNames() []string {
	names := make([]string, len(Sizes))
	for i, size := range Sizes {
		names[i] = size.ThumbName()
	}
	return names
}

// Rendition is a photo in one size: a JPEG with the colour profile of the
// photo and nothing else. A photo smaller than Size is never enlarged.
type Rendition struct {
	Size
	Width, Height int
	JPEG          []byte
}

// Result is what Render returns: all renditions of a photo, and what a screen needs before it has loaded one.
type Result struct {
	Width, Height int    // of the photo, upright
	Hash          string // a blurhash of 4 x 3 components, or 3 x 4 for a photo taller than wide
	Color         string // the most common one, as "#rrggbb"
	Renditions    []Rendition
}

// Decoder decodes a format whose decoder is too costly to be linked into every program.
type Decoder interface {
	// Decode returns the picture, upright. It bounds its own memory.
	Decode(ctx context.Context, src []byte) (image.Image, error)
}

// Renderer makes renditions. Its zero value makes the product's sizes, of all kinds of photos but HEIC.
type Renderer struct {
	Limits door.Limits // door.Standard if zero
	Sizes  []Size      // Sizes if empty
	HEIC   Decoder     // nil refuses HEIC
}

// ErrUnreadable is returned for a photo whose headers are valid but that cannot be decoded. Trying again is no use.
var ErrUnreadable = errors.New("photo cannot be decoded")

// Render makes all renditions of src. It uses one core, except in package imaging, which uses all, and at most
// CostOfInfo bytes of memory. After ctx ends it returns as soon as its current step is done: a row of blocks, a
// rendition, a whole WebP. It returns a *door.Refusal for what door.Inspect refuses, and ErrUnreadable for damage
// inside.
func (r Renderer) Render(ctx context.Context, src []byte) (result Result, err error) {
	info, err := door.Inspect(src, r.limitsOrDefault())
	if err != nil {
		return Result{}, err
	}
	defer recoverPanicInto(&err)
	base, err := r.decodePhoto(ctx, src, info, r.scaleInEighths(info))
	if err != nil {
		return Result{}, err
	}
	defer base.Release()
	return r.renderAll(ctx, base, info, profileMarkersOf(src, info, base))
}

// ConvertToJPEG returns a HEIC as a JPEG in full size, upright, with its colour profile and nothing else: the photo
// that is stored in its place.
func (r Renderer) ConvertToJPEG(ctx context.Context, src []byte) (jpeg []byte, err error) {
	info, err := door.Inspect(src, r.limitsOrDefault())
	if err != nil {
		return nil, err
	}
	defer recoverPanicInto(&err)
	base, err := r.decodePhoto(ctx, src, info, 8)
	if err != nil {
		return nil, err
	}
	base = plane.Orient(base, info.Orientation)
	defer base.Release()
	return encodeJPEG(base, convertedQuality, profileMarkersOf(src, info, base))
}

const convertedQuality = 90

// PanicError is the panic of a decoder. It is a mistake in the decoder, whatever the photo is like.
type PanicError struct {
	Value any
	Stack string // where it happened
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// recoverPanicInto turns a decoder's panic into an ErrUnreadable with a PanicError: what a stranger sends must not end
// the process.
func recoverPanicInto(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %w", ErrUnreadable, &PanicError{p, string(debug.Stack())})
	}
}

func (r Renderer) limitsOrDefault() door.Limits {
	if r.Limits == (door.Limits{}) {
		return door.Standard
	}
	return r.Limits
}

func (r Renderer) sizesOrDefault() []Size {
	if len(r.Sizes) == 0 {
		return Sizes
	}
	return r.Sizes
}

// profileMarkersOf returns the JPEG markers that hold src's colour profile, or "" if it has none that fits base.
func profileMarkersOf(src []byte, info door.Info, base *plane.Picture) string {
	if info.Gray != base.IsGray() {
		return ""
	}
	return door.JPEGProfile(door.ColorProfile(src, info))
}
