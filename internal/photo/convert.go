package photo

import (
	"image"
	"image/color"

	"doubletap/internal/photo/plane"
)

// planes returns m, laid on a canvas of white, as planes. It shares m's
// samples where they are planes already. videoRange says that m's are, against
// the rules of image.YCbCr, from 16 to 235, as lossy WebP's (golang.org/issue/40173).
func planes(m image.Image, canvas image.Rectangle, videoRange bool) *plane.Picture {
	switch m := m.(type) {
	case *image.YCbCr:
		p := plane.OfYCbCr(m)
		if videoRange {
			stretch(p)
		}
		if m.Rect == canvas {
			return p
		}
	case *image.Gray:
		if m.Rect == canvas {
			return plane.OfGray(m)
		}
	case *image.NYCbCrA:
		p := plane.OfYCbCr(&m.YCbCr)
		if videoRange {
			stretch(p)
		}
		if m.Rect == canvas {
			p.OnWhite(plane.Plane{Pix: m.A, Stride: m.AStride, W: p.W, H: p.H}, false)
			return p
		}
	}
	return convert(m, canvas)
}

// stretch spreads video range over all levels. Without it a WebP comes out pale: 30 dB.
func stretch(p *plane.Picture) {
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

// convert returns m on white as planes, two rows at a time, so that no copy
// of the whole picture in RGB is made.
func convert(m image.Image, canvas image.Rectangle) *plane.Picture {
	w, h := canvas.Dx(), canvas.Dy()
	_, gray16 := m.(*image.Gray16)
	p := plane.New(w, h, 2, 2, gray16)
	read := rows(m)
	pair := [2][]uint8{make([]uint8, 3*w), make([]uint8, 3*w)}
	for y := 0; y < h; y += 2 {
		second := min(y+1, h-1)
		for i, at := range []int{y, second} {
			white(pair[i])
			if at += canvas.Min.Y; at >= m.Bounds().Min.Y && at < m.Bounds().Max.Y {
				read(pair[i][3*(m.Bounds().Min.X-canvas.Min.X):], at)
			}
			brightness(p.Y.Pix[(at-canvas.Min.Y)*p.Y.Stride:][:w], pair[i])
		}
		if !p.Gray() {
			colors(p.Cb.Pix[y/2*p.Cb.Stride:], p.Cr.Pix[y/2*p.Cr.Stride:], pair, w)
		}
	}
	return p
}

func white(row []uint8) {
	for i := range row {
		row[i] = 255
	}
}

// brightness fills a row of Y, with the weights of color.RGBToYCbCr.
func brightness(to []byte, rgb []uint8) {
	for x := range to {
		c := rgb[3*x : 3*x+3 : 3*x+3]
		to[x] = byte((19595*int32(c[0]) + 38470*int32(c[1]) + 7471*int32(c[2]) + 1<<15) >> 16)
	}
}

// colors fills a row of Cb and Cr from the means of 2 x 2 pixels.
func colors(cb, cr []byte, pair [2][]uint8, w int) {
	for x := 0; x < w; x += 2 {
		next := min(x+1, w-1)
		var sum [3]int32
		for i := range sum {
			sum[i] = int32(pair[0][3*x+i]) + int32(pair[0][3*next+i]) + int32(pair[1][3*x+i]) + int32(pair[1][3*next+i])
		}
		r, g, b := sum[0], sum[1], sum[2]
		const half = 128<<18 + 1<<17
		cb[x/2] = byte(min(max((-11056*r-21712*g+32768*b+half)>>18, 0), 255))
		cr[x/2] = byte(min(max((32768*r-27440*g-5328*b+half)>>18, 0), 255))
	}
}

// rows returns a function that writes row y of m, on white, as RGB. The kinds
// of picture that decoders return are read without an interface call a pixel.
func rows(m image.Image) func(to []uint8, y int) {
	b := m.Bounds()
	switch m := m.(type) {
	case *image.NRGBA:
		return func(to []uint8, y int) {
			pix := m.Pix[(y-b.Min.Y)*m.Stride:][:4*b.Dx()]
			for i := 0; i < len(pix); i += 4 {
				c := pix[i : i+4 : i+4]
				over(to[i/4*3:], uint32(c[0])*uint32(c[3]), uint32(c[1])*uint32(c[3]), uint32(c[2])*uint32(c[3]), uint32(c[3]))
			}
		}
	case *image.RGBA:
		return func(to []uint8, y int) {
			pix := m.Pix[(y-b.Min.Y)*m.Stride:][:4*b.Dx()]
			for i := 0; i < len(pix); i += 4 {
				c := pix[i : i+4 : i+4]
				over(to[i/4*3:], uint32(c[0])*255, uint32(c[1])*255, uint32(c[2])*255, uint32(c[3]))
			}
		}
	case *image.Paletted:
		var colors [256][3]uint8
		for i, c := range m.Palette[:min(len(m.Palette), 256)] {
			put(colors[i][:], color.RGBA64Model.Convert(c).(color.RGBA64))
		}
		for i := len(m.Palette); i < 256; i++ {
			colors[i] = [3]uint8{255, 255, 255}
		}
		return func(to []uint8, y int) {
			for x, i := range m.Pix[(y-b.Min.Y)*m.Stride:][:b.Dx()] {
				copy(to[3*x:3*x+3], colors[i][:])
			}
		}
	}
	at := func(x, y int) color.RGBA64 { return color.RGBA64Model.Convert(m.At(x, y)).(color.RGBA64) }
	if m, ok := m.(image.RGBA64Image); ok { // as all of the standard library are; At would allocate
		at = m.RGBA64At
	}
	return func(to []uint8, y int) {
		for x := range b.Dx() {
			put(to[3*x:], at(b.Min.X+x, y))
		}
	}
}

// over writes a pixel on white, from colours times their alpha and 255.
func over(to []uint8, r, g, b, a uint32) {
	rest := (255-a)*255 + 127
	to[0], to[1], to[2] = uint8(min((r+rest)/255, 255)), uint8(min((g+rest)/255, 255)), uint8(min((b+rest)/255, 255))
}

// put writes a colour on white.
func put(to []uint8, c color.RGBA64) {
	for i, v := range [3]uint16{c.R, c.G, c.B} {
		on := min(uint32(v)+0xFFFF-uint32(c.A), 0xFFFF)
		to[i] = uint8((on - on>>8 + 128) >> 8)
	}
}
