// Package plane resizes and turns pictures as JPEG stores them, as one plane of brightness and two of colour, so that
// a photo need not be converted to RGB and back.
package plane

import "image"

// Plane is one channel of a picture. Rows lie Stride bytes apart.
type Plane struct {
	Pix          []byte
	Stride, W, H int
}

// Picture is a full-range YCbCr picture, or a gray one when Cb.Pix is nil.
type Picture struct {
	W, H int
	// ExactW and ExactH are the picture's true extent in samples of Y: a width
	// of 4031 decoded at 4/8 is 2015.5 samples wide, stored in 2016.
	ExactW, ExactH float64
	// SubX and SubY say how many samples of Y share one of Cb and Cr.
	SubX, SubY int
	Y, Cb, Cr  Plane

	pooled bool
}

// New returns a picture with planes of its own, taken from the pool. Its samples are not cleared.
func New(w, h, subX, subY int, gray bool) *Picture {
	p := &Picture{W: w, H: h, ExactW: float64(w), ExactH: float64(h), SubX: subX, SubY: subY, pooled: true}
	p.Y = newPooledPlane(w, h)
	if !gray {
		cw, ch := (w+subX-1)/subX, (h+subY-1)/subY
		p.Cb, p.Cr = newPooledPlane(cw, ch), newPooledPlane(cw, ch)
	}
	return p
}

// NewPadded is New with planes large enough for whole blocks of blockW x blockH samples of Y; the samples past W and
// H exist but mean nothing.
func NewPadded(w, h, subX, subY int, gray bool, blockW, blockH int) *Picture {
	pw, ph := (w+blockW-1)/blockW*blockW, (h+blockH-1)/blockH*blockH
	p := New(pw, ph, subX, subY, gray)
	p.W, p.H, p.ExactW, p.ExactH = w, h, float64(w), float64(h)
	p.Y.W, p.Y.H = w, h
	if !gray {
		p.Cb.W, p.Cb.H = (w+subX-1)/subX, (h+subY-1)/subY
		p.Cr.W, p.Cr.H = p.Cb.W, p.Cb.H
	}
	return p
}

// IsGray reports whether the picture has no colour planes.
func (p *Picture) IsGray() bool { return p.Cb.Pix == nil }

// Release gives the planes back to the pool, if they are from there. The picture must not be used afterwards.
func (p *Picture) Release() {
	if p == nil || !p.pooled {
		return
	}
	for _, pl := range []Plane{p.Y, p.Cb, p.Cr} {
		putBytes(pl.Pix)
	}
	*p = Picture{}
}

// AsImage returns the picture as an image, for an encoder. The image shares the planes, so it must not be used after
// Release.
func (p *Picture) AsImage() image.Image {
	r := image.Rect(0, 0, p.W, p.H)
	if p.IsGray() {
		return &image.Gray{Pix: p.Y.Pix, Stride: p.Y.Stride, Rect: r}
	}
	ratio := image.YCbCrSubsampleRatio444
	for k, s := range subsampling {
		if s == [2]int{p.SubX, p.SubY} {
			ratio = k
		}
	}
	return &image.YCbCr{
		Y: p.Y.Pix, Cb: p.Cb.Pix, Cr: p.Cr.Pix,
		YStride: p.Y.Stride, CStride: p.Cb.Stride, SubsampleRatio: ratio, Rect: r,
	}
}

var subsampling = map[image.YCbCrSubsampleRatio][2]int{
	image.YCbCrSubsampleRatio444: {1, 1},
	image.YCbCrSubsampleRatio422: {2, 1},
	image.YCbCrSubsampleRatio420: {2, 2},
	image.YCbCrSubsampleRatio440: {1, 2},
	image.YCbCrSubsampleRatio411: {4, 1},
	image.YCbCrSubsampleRatio410: {4, 2},
}

// FromYCbCr returns a picture that shares m's planes. m starts at 0, 0, as those that decoders return do.
func FromYCbCr(m *image.YCbCr) *Picture {
	s := subsampling[m.SubsampleRatio]
	w, h := m.Rect.Dx(), m.Rect.Dy()
	cw, ch := (w+s[0]-1)/s[0], (h+s[1]-1)/s[1]
	return &Picture{
		W: w, H: h, ExactW: float64(w), ExactH: float64(h), SubX: s[0], SubY: s[1],
		Y:  Plane{m.Y, m.YStride, w, h},
		Cb: Plane{m.Cb, m.CStride, cw, ch},
		Cr: Plane{m.Cr, m.CStride, cw, ch},
	}
}

// FromGray returns a picture that shares m's samples. m starts at 0, 0.
func FromGray(m *image.Gray) *Picture {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	return &Picture{W: w, H: h, ExactW: float64(w), ExactH: float64(h), SubX: 2, SubY: 2, Y: Plane{m.Pix, m.Stride, w, h}}
}

// slackBytes is how many bytes follow a plane's samples: loads of eight samples at a row's end read them and do not
// use them.
const slackBytes = 8

func newPooledPlane(w, h int) Plane {
	return Plane{Pix: getBytes(w*h + slackBytes), Stride: w, W: w, H: h}
}
