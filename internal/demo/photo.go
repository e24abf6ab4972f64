package demo

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
)

// jpegQuality is that of small JPEGs from phones.
const jpegQuality = 80

// orientations are EXIF's numbers for how a camera was held: upright (1), upside down (3), or on one of its sides (6,
// 8). A number that is in the list more often is more frequent.
var orientations = []uint8{1, 1, 1, 6, 6, 8, 3}

// paintedPhoto is a picture that has not been painted yet: the same seed gives the same bytes.
type paintedPhoto struct {
	scene photoMotif
	seed  uint64
}

// encodeJPEG paints the photo and returns it as a phone would store it: as it came from the sensor, with an EXIF note
// of how the phone was held.
func (p paintedPhoto) encodeJPEG() []byte {
	r := rand.New(rand.NewPCG(p.seed, 1)) // #nosec G404 -- painted from a seed, alike each time
	orientation := pickOne(r, orientations)
	w, h := 1200, 900
	if orientation > 4 || (orientation == 1 && r.IntN(3) == 0) {
		w, h = h, w
	}
	c := newPainting(w, h)
	p.scene.paint(c, r)
	return encodeWithEXIF(turnedImage(c.RGBA, orientation), orientation)
}

// portraitLook is what portraits differ in.
type portraitLook struct{ palette, skin, hair uint64 }

func lookOf(seed uint64) portraitLook {
	return portraitLook{seed % uint64(len(palettes)), seed >> 8 % uint64(len(skins)), seed >> 16 % 3}
}

// encodeJPEG paints a small picture of a person's head and shoulders.
func (l portraitLook) encodeJPEG() []byte {
	clothes, skin := palettes[l.palette], skins[l.skin]
	c := newPainting(320, 320)
	c.fillGradient(0, 320, clothes[0], clothes[1])
	switch l.hair {
	case 0: // long
		c.paintDisc(160, 118, 72, 2, clothes[2], 1)
		c.paintRectangle(90, 118, 230, 240, clothes[2], 1)
	case 1: // tied up
		c.paintDisc(160, 116, 66, 2, clothes[2], 1)
		c.paintDisc(160, 54, 28, 2, clothes[2], 1)
	default:
		c.paintDisc(160, 122, 64, 2, clothes[2], 1)
	}
	c.paintDisc(160, 330, 118, 2, clothes[2].mixedWith(clothes[1], 0.25), 1)
	c.paintRectangle(138, 170, 182, 225, skin.mixedWith(hexTone(0), 0.12), 1)
	c.paintDisc(160, 138, 56, 2, skin, 1)
	return encodeWithEXIF(c.RGBA, 1)
}

// palettes are the colours of portraits: the background from top to bottom, and the hair. Neighbours in the list differ
// clearly.
var (
	palettes = [][3]tone{
		{hexTone(0xffb88a), hexTone(0xe4572e), hexTone(0x2b2d42)}, {hexTone(0x9ad1ff), hexTone(0x2f7fd6), hexTone(0x14213d)}, {hexTone(0xb7e4a8), hexTone(0x3a9d5d), hexTone(0x4a2c14)},
		{hexTone(0xf5b3e6), hexTone(0xb5179e), hexTone(0x240046)}, {hexTone(0xffe57a), hexTone(0xe0a100), hexTone(0x5a189a)}, {hexTone(0x8ff0e6), hexTone(0x0b9aa0), hexTone(0x6f1d1b)},
		{hexTone(0xd4d0ff), hexTone(0x5a4fcf), hexTone(0x101020)}, {hexTone(0xd9d9d9), hexTone(0x6c6c6c), hexTone(0x8a3b12)},
	}
	skins = []tone{hexTone(0xf6d7c3), hexTone(0x8d5a3b), hexTone(0xe0ac8a), hexTone(0x5c3a26), hexTone(0xb97a56)}
)

// turnedImage returns the picture as the sensor of a camera with this orientation sees it.
func turnedImage(picture *image.RGBA, orientation uint8) *image.RGBA {
	if orientation == 1 {
		return picture
	}
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation > 4 {
		size = image.Rect(0, 0, h, w)
	}
	to := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			tx, ty := w-1-x, h-1-y
			switch orientation {
			case 6:
				tx, ty = y, w-1-x
			case 8:
				tx, ty = h-1-y, x
			}
			copy(to.Pix[to.PixOffset(tx, ty):][:4], picture.Pix[picture.PixOffset(x, y):][:4])
		}
	}
	return to
}

// encodeWithEXIF returns the picture as a JPEG, with its orientation as EXIF unless it is upright.
func encodeWithEXIF(picture *image.RGBA, orientation uint8) []byte {
	var out bytes.Buffer
	_ = jpeg.Encode(&out, picture, &jpeg.Options{Quality: jpegQuality}) // a buffer takes every write
	if orientation == 1 {
		return out.Bytes()
	}
	exif := []byte{0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, // the segment, its length and kind
		'M', 'M', 0, 42, 0, 0, 0, 8, // TIFF, its directory at 8
		0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, // one entry: Orientation, a short
		0, 0, 0, 0} // no further directory
	const start = 2 // after the two bytes with which every JPEG begins
	return bytes.Join([][]byte{out.Bytes()[:start], exif, out.Bytes()[start:]}, nil)
}
