// Package phototest makes the photos that tests use. Except for a few fixtures they are not stored in the repository,
// and each call makes the same photo.
package phototest

import (
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
)

// DrawScene returns a picture that compresses like a phone's: it has soft areas, edges, texture at every size, a
// little grain. A 12 MP one is 3 MB at quality 92.
func DrawScene(w, h int) *image.YCbCr {
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	y, cb, cr := newSmoothNoise(1), newSmoothNoise(2), newSmoothNoise(3)
	unit := max(w, h)
	for j := range h {
		row := m.Y[j*m.YStride:][:w]
		for i := range row {
			v := 118 + y.valueAt(i, j, unit/4)*60/128 + y.valueAt(i, j, unit/32)*34/128 + y.valueAt(i, j, unit/250)*13/128 + y.valueAt(i, j, unit/1000)*6/128
			v += edgeShapes(i, j, unit)
			v += int(y.cells[(i*7+j*131)&0xFFFF]) * 7 / 128
			row[i] = byte(min(max(v, 4), 251))
		}
	}
	for j := range (h + 1) / 2 {
		for i := range (w + 1) / 2 {
			x := cb.valueAt(2*i, 2*j, unit/3)*44/128 + cb.valueAt(2*i, 2*j, unit/60)*12/128
			z := cr.valueAt(2*i, 2*j, unit/3)*44/128 + cr.valueAt(2*i, 2*j, unit/60)*12/128
			m.Cb[j*m.CStride+i], m.Cr[j*m.CStride+i] = byte(128+x+edgeShapes(2*i, 2*j, unit)/3), byte(128+z-edgeShapes(2*i, 2*j, unit)/4)
		}
	}
	return m
}

// edgeShapes returns how much the shapes with an edge, a disc, a roof, window bars, change the brightness at x, y.
// They differ in every corner, so that a picture on its side is never taken for an upright one.
func edgeShapes(x, y, unit int) int {
	v := 0
	if dx, dy := x-unit/4, y-unit/5; dx*dx+dy*dy < unit*unit/100 {
		v += 48
	}
	if x > unit/2 && y > unit/8 && x-unit/2 > y-unit/8 && x-unit/2 < 2*(y-unit/8) {
		v -= 42
	}
	if bar := max(unit/90, 2); y > unit/2 && x < unit/3 && x/bar%4 == 0 {
		v += 30
	}
	return v
}

// smoothNoise is 65536 values between -128 and 127, with smooth steps between them.
type smoothNoise struct{ cells [1 << 16]int8 }

func newSmoothNoise(seed uint64) *smoothNoise {
	n := new(smoothNoise)
	rnd := rand.New(rand.NewPCG(seed, 7)) // #nosec G404 -- painted from a seed, alike each time
	for i := range n.cells {
		n.cells[i] = int8(rnd.Uint32())
	}
	return n
}

// valueAt returns the noise at x, y, with one value every size pixels.
func (n *smoothNoise) valueAt(x, y, size int) int {
	size = max(size, 1)
	cx, cy := x/size, y/size
	fx, fy := (x-cx*size)*256/size, (y-cy*size)*256/size
	cell := func(i, j int) int { return int(n.cells[(i+j*257+size*31)&0xFFFF]) }
	top := cell(cx, cy)*(256-fx) + cell(cx+1, cy)*fx
	low := cell(cx, cy+1)*(256-fx) + cell(cx+1, cy+1)*fx
	return (top*(256-fy) + low*fy) >> 16
}

// AsCameraStores returns m as a camera stores it with the given orientation: turned as EXIF says, it is m again.
func AsCameraStores(m *image.YCbCr, orientation int) *image.YCbCr {
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	sw, sh := w, h
	if orientation >= 5 {
		sw, sh = h, w
	}
	out := image.NewYCbCr(image.Rect(0, 0, sw, sh), image.YCbCrSubsampleRatio444)
	for y := range h {
		for x := range w {
			sx, sy := storedPosition(x, y, w, h, orientation)
			c := m.YCbCrAt(x, y)
			i := sy*out.YStride + sx
			out.Y[i], out.Cb[i], out.Cr[i] = c.Y, c.Cb, c.Cr
		}
	}
	return out
}

// storedPosition returns where the camera stores the sample that is shown at x, y.
func storedPosition(x, y, w, h, orientation int) (int, int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, w - 1 - x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return h - 1 - y, x
	}
	return x, y
}

// CutOutDisc returns m with alpha: transparent outside of a disc in the middle, as stickers are.
func CutOutDisc(m image.Image) *image.NRGBA {
	b := m.Bounds()
	out := image.NewNRGBA(b)
	draw.Draw(out, b, m, b.Min, draw.Src)
	r := min(b.Dx(), b.Dy()) / 2
	for y := range b.Dy() {
		for x := range b.Dx() {
			dx, dy := x-b.Dx()/2, y-b.Dy()/2
			if d := dx*dx + dy*dy; d > r*r {
				out.SetNRGBA(x, y, color.NRGBA{200, 0, 200, 0})
			} else if d > r*r*3/4 {
				c := out.NRGBAAt(x, y)
				c.A = 128
				out.SetNRGBA(x, y, c)
			}
		}
	}
	return out
}
