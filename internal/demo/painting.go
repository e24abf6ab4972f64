package demo

import (
	"image"
	"math"
	"math/rand/v2"
)

// tone is a colour; its parts go from 0 to 1.
type tone struct{ r, g, b float64 }

// hexTone returns the tone with the colour 0xRRGGBB.
func hexTone(v uint32) tone {
	return tone{float64(v>>16) / 255, float64(v>>8&255) / 255, float64(v&255) / 255}
}

// mixedWith returns the tone between a and b, where t is 0 for a and 1 for b.
func (a tone) mixedWith(b tone, t float64) tone {
	t = min(max(t, 0), 1)
	return tone{a.r + (b.r-a.r)*t, a.g + (b.g-a.g)*t, a.b + (b.b-a.b)*t}
}

// painting is a picture that is painted from the back to the front; lengths are in pixels.
type painting struct {
	*image.RGBA
	w, h int
}

func newPainting(w, h int) *painting {
	return &painting{RGBA: image.NewRGBA(image.Rect(0, 0, w, h)), w: w, h: h}
}

// blendPixel covers a pixel with a tone: not at all with alpha 0, wholly with 1. It ignores pixels outside of the
// picture.
func (c *painting) blendPixel(x, y int, t tone, alpha float64) {
	if x < 0 || y < 0 || x >= c.w || y >= c.h || alpha <= 0 {
		return
	}
	p := c.Pix[y*c.Stride+x*4:][:4]
	p[3] = 255
	if alpha >= 1 {
		p[0], p[1], p[2] = uint8(t.r*255), uint8(t.g*255), uint8(t.b*255)
		return
	}
	keep := 1 - alpha
	p[0] = uint8(float64(p[0])*keep + t.r*255*alpha)
	p[1] = uint8(float64(p[1])*keep + t.g*255*alpha)
	p[2] = uint8(float64(p[2])*keep + t.b*255*alpha)
}

// fillGradient fills the rows from top to bottom with a gradient of the tones.
func (c *painting) fillGradient(top, bottom int, tones ...tone) {
	for y := max(top, 0); y < min(bottom, c.h); y++ {
		at := float64(y-top) / float64(bottom-top) * float64(len(tones)-1)
		i := min(int(at), len(tones)-2)
		t := tones[i].mixedWith(tones[i+1], at-float64(i))
		for x := range c.w {
			c.blendPixel(x, y, t, 1)
		}
	}
}

// paintDisc paints a disc that is solid up to its radius, and fades out over the next soft pixels.
func (c *painting) paintDisc(cx, cy, radius, soft float64, t tone, alpha float64) {
	reach := radius + soft
	for y := int(cy - reach); y <= int(cy+reach); y++ {
		for x := int(cx - reach); x <= int(cx+reach); x++ {
			d := math.Hypot(float64(x)-cx, float64(y)-cy)
			fade := min(max((reach-d)/max(soft, 1), 0), 1)
			c.blendPixel(x, y, t, alpha*fade*fade)
		}
	}
}

// fillBelow fills what is below a line of heights, one for each column, with a gradient from the line to the bottom.
func (c *painting) fillBelow(line []float64, from, to tone) {
	highest := float64(c.h)
	for _, y := range line {
		highest = min(highest, y)
	}
	for y := max(int(highest), 0); y < c.h; y++ {
		t := from.mixedWith(to, (float64(y)-highest)/(float64(c.h)-highest))
		for x := range c.w {
			c.blendPixel(x, y, t, min(max(float64(y)-line[x], 0), 1))
		}
	}
}

// ridgeLine returns a line like that of hills around the height base: swing is how far it goes up and down, grain how
// rough it is, and steps how many hills there are.
func (c *painting) ridgeLine(r *rand.Rand, base, swing, grain float64, steps int) []float64 {
	line := make([]float64, c.w)
	for size, n := swing, steps; n < c.w/2 && size > 0.5; size, n = size*grain, n*2 {
		knots := make([]float64, n+2)
		for i := range knots {
			knots[i] = r.Float64()*2 - 1
		}
		for x := range line {
			at := float64(x) / float64(c.w) * float64(n)
			i := int(at)
			t := at - float64(i)
			t = t * t * (3 - 2*t)
			line[x] += size * (knots[i] + (knots[i+1]-knots[i])*t)
		}
	}
	for x := range line {
		line[x] += base
	}
	return line
}

// paintRectangle paints a rectangle.
func (c *painting) paintRectangle(x0, y0, x1, y1 int, t tone, alpha float64) {
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			c.blendPixel(x, y, t, alpha)
		}
	}
}

// paintTriangle paints a triangle of width w and height h; the middle of its base is (x, y).
func (c *painting) paintTriangle(x, y, w, h float64, t tone) {
	for dy := 0.0; dy < h; dy++ {
		half := w / 2 * dy / h
		for dx := -half; dx <= half; dx++ {
			c.blendPixel(int(x+dx), int(y-h+dy), t, 1)
		}
	}
}
