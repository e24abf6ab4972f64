package photo

import (
	"image"
	"image/color"

	"github.com/disintegration/imaging"

	"github.com/doubletap/doubletap/internal/photo/plane"
)

// planesOf returns m, laid on a white canvas, as planes. It shares m's samples where they are planes already.
// videoRange says that m's samples go from 16 to 235, as those of lossy WebP do, though image.YCbCr does not allow
// that (golang.org/issue/40173).
func planesOf(m image.Image, canvas image.Rectangle, videoRange bool) *plane.Picture {
	switch m := m.(type) {
	case *image.YCbCr:
		p := plane.FromYCbCr(m)
		if videoRange {
			stretchVideoRange(p)
		}
		if m.Rect == canvas {
			return p
		}
	case *image.Gray:
		if m.Rect == canvas {
			return plane.FromGray(m)
		}
	case *image.NYCbCrA: // 12 MP in 0.1 s; imaging, which calls At for each pixel, takes 4.5 s
		p := plane.FromYCbCr(&m.YCbCr)
		if videoRange {
			stretchVideoRange(p)
		}
		p.FlattenOnWhite(plane.Plane{Pix: m.A, Stride: m.AStride, W: p.W, H: p.H}, false)
		if m.Rect == canvas {
			return p
		}
		return convertToPlanes(&m.YCbCr, canvas, false)
	}
	_, gray := m.(*image.Gray16)
	return convertToPlanes(m, canvas, gray)
}

// stretchVideoRange spreads samples of video range over all levels. Without it a WebP comes out pale, 30 dB from the
// original.
func stretchVideoRange(p *plane.Picture) {
	var y, c [256]byte
	for i := range y {
		y[i] = byte(min(max((i-16)*255+109, 0)/219, 255))
		c[i] = byte(min(max((i-128)*255+128*224+112, 0)/224, 255))
	}
	for i, pl := range []plane.Plane{p.Y, p.Cb, p.Cr} {
		table := &c
		if i == 0 {
			table = &y
		}
		for j, v := range pl.Pix {
			pl.Pix[j] = table[v]
		}
	}
}

// bandRows is how many rows imaging makes at a time, an even number. All of a large picture in RGB would be half of
// the memory that all photos may take.
const bandRows = 64

// convertToPlanes returns m on white as three planes, or as one plane if it is gray.
func convertToPlanes(m image.Image, canvas image.Rectangle, gray bool) *plane.Picture {
	w, h := canvas.Dx(), canvas.Dy()
	p := plane.New(w, h, 2, 2, gray)
	read := pixelReaderOf(m, canvas)
	for top := 0; top < h; top += bandRows {
		rows := read(image.Rect(0, top, w, min(top+bandRows, h)).Add(canvas.Min))
		for y := range rows.Rect.Dy() {
			fillBrightness(p.Y.Pix[(top+y)*p.Y.Stride:][:w], rows.Pix[y*rows.Stride:])
			if y%2 == 0 && !gray {
				at, next := (top+y)/2, min(y+1, rows.Rect.Dy()-1)
				fillColors(p.Cb.Pix[at*p.Cb.Stride:], p.Cr.Pix[at*p.Cr.Stride:], rows.Pix[y*rows.Stride:], rows.Pix[next*rows.Stride:], w)
			}
		}
	}
	return p
}

// pixelReaderOf returns a function that returns a part of m as RGB, whatever m's colour model is. Where m is
// transparent or does not cover the canvas, the part is white.
func pixelReaderOf(m image.Image, canvas image.Rectangle) func(part image.Rectangle) *image.NRGBA {
	whole, ok := m.(interface{ Opaque() bool })
	if ok && canvas.In(m.Bounds()) && whole.Opaque() {
		return func(part image.Rectangle) *image.NRGBA { return imaging.Crop(m, part) }
	}
	white := imaging.New(canvas.Dx(), min(bandRows, canvas.Dy()), color.White)
	return func(part image.Rectangle) *image.NRGBA {
		from := m.(interface { // which all images that decoders return have
			SubImage(image.Rectangle) image.Image
		}).SubImage(part)
		return imaging.Overlay(white.SubImage(image.Rect(0, 0, part.Dx(), part.Dy())), from, from.Bounds().Min.Sub(part.Min), 1)
	}
}

// fillBrightness fills a row of Y from RGBA pixels, with the weights of color.RGBToYCbCr.
func fillBrightness(to, pixels []uint8) {
	for x := range to {
		c := pixels[4*x : 4*x+3 : 4*x+3]
		to[x] = byte((19595*int32(c[0]) + 38470*int32(c[1]) + 7471*int32(c[2]) + 1<<15) >> 16)
	}
}

// fillColors fills a row of Cb and one of Cr from the means of 2 x 2 RGBA pixels.
func fillColors(cb, cr, upper, lower []uint8, w int) {
	for x := 0; x < w; x += 2 {
		next := min(x+1, w-1)
		var sum [3]int32
		for i := range sum {
			sum[i] = int32(upper[4*x+i]) + int32(upper[4*next+i]) + int32(lower[4*x+i]) + int32(lower[4*next+i])
		}
		r, g, b := sum[0], sum[1], sum[2]
		const half = 128<<18 + 1<<17
		cb[x/2] = byte(min(max((-11056*r-21712*g+32768*b+half)>>18, 0), 255))
		cr[x/2] = byte(min(max((32768*r-27440*g-5328*b+half)>>18, 0), 255))
	}
}
