package command

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
)

// quality is that of a small JPEG from a phone.
const quality = 80

// orientations are EXIF's words for how a camera was held: upright, on its head, and on either side.
var orientations = []uint8{1, 1, 1, 6, 6, 8, 3}

// photo is a picture that is yet to be taken: the same seed gives the same bytes.
type photo struct {
	scene scene
	seed  uint64
}

// jpeg takes the photo, as a phone stores it: as it came from the sensor, with a note of how the
// phone was held.
func (p photo) jpeg() []byte {
	r := rand.New(rand.NewPCG(p.seed, 1)) // #nosec G404 -- painted from a seed, alike each time
	held := pick(r, orientations)
	w, h := 1200, 900
	if held > 4 || (held == 1 && r.IntN(3) == 0) {
		w, h = h, w
	}
	c := newCanvas(w, h)
	p.scene.paint(c, r)
	return encode(turned(c.RGBA, held), held)
}

// portrait returns a small round-shouldered picture of nobody.
func portrait(seed uint64) []byte {
	clothes, skin, hair := palettes[seed%uint64(len(palettes))], skins[seed>>8%uint64(len(skins))], seed>>16%3
	c := newCanvas(320, 320)
	c.sky(0, 320, clothes[0], clothes[1])
	switch hair {
	case 0: // long
		c.disc(160, 118, 72, 2, clothes[2], 1)
		c.box(90, 118, 230, 240, clothes[2], 1)
	case 1: // tied up
		c.disc(160, 116, 66, 2, clothes[2], 1)
		c.disc(160, 54, 28, 2, clothes[2], 1)
	default:
		c.disc(160, 122, 64, 2, clothes[2], 1)
	}
	c.disc(160, 330, 118, 2, clothes[2].to(clothes[1], 0.25), 1)
	c.box(138, 170, 182, 225, skin.to(hex(0), 0.12), 1)
	c.disc(160, 138, 56, 2, skin, 1)
	return encode(c.RGBA, 1)
}

// palettes are the colours of a portrait: behind it from top to bottom, and its hair. Neighbours are far from each other.
var (
	palettes = [][3]tone{
		{hex(0xffb88a), hex(0xe4572e), hex(0x2b2d42)}, {hex(0x9ad1ff), hex(0x2f7fd6), hex(0x14213d)}, {hex(0xb7e4a8), hex(0x3a9d5d), hex(0x4a2c14)},
		{hex(0xf5b3e6), hex(0xb5179e), hex(0x240046)}, {hex(0xffe57a), hex(0xe0a100), hex(0x5a189a)}, {hex(0x8ff0e6), hex(0x0b9aa0), hex(0x6f1d1b)},
		{hex(0xd4d0ff), hex(0x5a4fcf), hex(0x101020)}, {hex(0xd9d9d9), hex(0x6c6c6c), hex(0x8a3b12)},
	}
	skins = []tone{hex(0xf6d7c3), hex(0x8d5a3b), hex(0xe0ac8a), hex(0x5c3a26), hex(0xb97a56)}
)

// turned is the picture as the sensor of a camera sees it that is held so.
func turned(of *image.RGBA, held uint8) *image.RGBA {
	if held == 1 {
		return of
	}
	w, h := of.Rect.Dx(), of.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if held > 4 {
		size = image.Rect(0, 0, h, w)
	}
	to := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			tx, ty := w-1-x, h-1-y
			switch held {
			case 6:
				tx, ty = y, w-1-x
			case 8:
				tx, ty = h-1-y, x
			}
			copy(to.Pix[to.PixOffset(tx, ty):][:4], of.Pix[of.PixOffset(x, y):][:4])
		}
	}
	return to
}

// encode writes a JPEG and, unless it is upright, the orientation as EXIF.
func encode(of *image.RGBA, held uint8) []byte {
	var out bytes.Buffer
	_ = jpeg.Encode(&out, of, &jpeg.Options{Quality: quality}) // a buffer takes every write
	if held == 1 {
		return out.Bytes()
	}
	exif := []byte{0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, // the segment, its length and kind
		'M', 'M', 0, 42, 0, 0, 0, 8, // TIFF, its directory at 8
		0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, held, 0, 0, // one entry: Orientation, a short
		0, 0, 0, 0} // no further directory
	const start = 2 // behind the two bytes that begin every JPEG
	return bytes.Join([][]byte{out.Bytes()[:start], exif, out.Bytes()[start:]}, nil)
}
