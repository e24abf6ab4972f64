package demo

import (
	"math"
	"math/rand/v2"
)

// photoMotif is a kind of picture, with what people write under one.
type photoMotif struct {
	alt      string
	captions []string
	tags     []string
	paint    func(c *painting, r *rand.Rand)
}

// The motifs' indexes in photoMotifs.
const (
	motifMountains = iota
	motifSea
	motifNight
	motifTown
	motifBokeh
	motifFields
	motifWoods
)

var photoMotifs = []photoMotif{
	motifMountains: {"Mountains behind each other in the haze", []string{"Worth every step up here", "Above the clouds before breakfast", "The last ridge of the day"}, []string{"mountains", "hiking", "goldenhour"}, paintMountains},
	motifSea:       {"The sun over a calm sea", []string{"Salt in the hair, sand in the shoes", "Just me and the gulls", "Nobody wanted to leave"}, []string{"sea", "sunset", "slowdays"}, paintSea},
	motifNight:     {"Northern lights over dark hills", []string{"Waited three nights for this", "No filter, only cold fingers", "Could not feel my toes, did not care"}, []string{"nightsky", "aurora", "stars"}, paintNight},
	motifTown:      {"A city at dusk with lit windows", []string{"Home, from the roof", "Blue hour and nowhere to be", "Eight million people and so quiet"}, []string{"city", "bluehour", "rooftops"}, paintCity},
	motifBokeh:     {"Lights out of focus", []string{"Lens wide open", "Rain on the window, music on", "Saturday, slightly out of focus"}, []string{"bokeh", "lights", "35mm"}, paintBokeh},
	motifFields:    {"A field of flowers under clouds", []string{"Took the long way round", "Spring finally means it", "Picnic weather at last"}, []string{"spring", "flowers", "countryside"}, paintField},
	motifWoods:     {"Pines in the morning mist", []string{"It smells as good as it looks", "Five in the morning has its moments", "Lost the path, found this"}, []string{"forest", "mist", "earlybird"}, paintForest},
}

func paintMountains(c *painting, r *rand.Rand) {
	p := pickOne(r, [][4]tone{
		{hexTone(0x2b3a67), hexTone(0xf08a5d), hexTone(0xffd8a8), hexTone(0x1b1b3a)},
		{hexTone(0x5aa9e6), hexTone(0xbfe3f5), hexTone(0xfff1d6), hexTone(0x1f3b4d)},
		{hexTone(0x3d2c5e), hexTone(0xc75b7a), hexTone(0xffc3a0), hexTone(0x22162b)},
		{hexTone(0x84a9c0), hexTone(0xd7e3ea), hexTone(0xf7f4ea), hexTone(0x33475b)},
	})
	w, h := float64(c.w), float64(c.h)
	c.fillGradient(0, c.h*7/10, p[0], p[1], p[2])
	x, y := w*(0.2+0.6*r.Float64()), h*(0.25+0.2*r.Float64())
	c.paintDisc(x, y, h*0.05, h*0.3, p[2], 0.5)
	c.paintDisc(x, y, h*0.045, 2, hexTone(0xfffaf0), 0.95)
	for i := range 5 {
		near := float64(i+1) / 5
		line := c.ridgeLine(r, h*(0.42+0.11*float64(i)), h*(0.10-0.008*float64(i)), 0.5, 2+i)
		c.fillBelow(line, p[1].mixedWith(p[3], near), p[2].mixedWith(p[3], near*near))
	}
}

func paintSea(c *painting, r *rand.Rand) {
	p := pickOne(r, [][4]tone{
		{hexTone(0x355c7d), hexTone(0xf67280), hexTone(0xffd29d), hexTone(0x1d3557)},
		{hexTone(0x48a9c5), hexTone(0xa9dde6), hexTone(0xfef3d0), hexTone(0x0b5563)},
		{hexTone(0x4a3f6b), hexTone(0xee7b5a), hexTone(0xffe0a3), hexTone(0x2a2140)},
	})
	w, h := float64(c.w), float64(c.h)
	horizon := h * (0.5 + 0.12*r.Float64())
	c.fillGradient(0, int(horizon), p[0], p[1], p[2])
	x, y := w*(0.25+0.5*r.Float64()), horizon-h*(0.02+0.14*r.Float64())
	c.paintDisc(x, y, h*0.06, h*0.4, p[2], 0.55)
	c.paintDisc(x, y, h*0.06, 2, hexTone(0xfff7e0), 1)
	c.fillGradient(int(horizon), c.h, p[1].mixedWith(p[3], 0.35), p[3], p[3].mixedWith(hexTone(0), 0.3))
	for y := horizon + 1; y < h; y += 1 + (y-horizon)*0.012 {
		deep := (y - horizon) / (h - horizon)
		for range 5 { // glitter under the sun, and waves everywhere
			long := w * (0.015 + 0.05*deep) * r.Float64()
			at := x + r.NormFloat64()*w*(0.03+0.10*deep)
			c.paintRectangle(int(at), int(y), int(at+long), int(y+1+2*deep), p[2], 0.5*(1-0.5*deep))
			at = w * r.Float64()
			c.paintRectangle(int(at), int(y), int(at+long*2), int(y+1+2*deep), p[0], 0.18)
		}
	}
	if r.IntN(2) == 0 {
		x, size := w*(0.1+0.8*r.Float64()), h*(0.03+0.05*r.Float64())
		c.paintTriangle(x, horizon+size*0.1, size*0.7, size, hexTone(0xfdfbf5))
		c.paintRectangle(int(x-size*0.45), int(horizon+size*0.1), int(x+size*0.45), int(horizon+size*0.24), p[3].mixedWith(hexTone(0), 0.4), 1)
	}
}

func paintField(c *painting, r *rand.Rand) {
	w, h := float64(c.w), float64(c.h)
	c.fillGradient(0, c.h*6/10, hexTone(0x3f8fd2), hexTone(0x9fd3f0), hexTone(0xe8f6fb))
	for range 5 {
		x, y, size := w*r.Float64(), h*(0.08+0.3*r.Float64()), h*(0.02+0.03*r.Float64())
		for range 14 {
			c.paintDisc(x+r.NormFloat64()*size*2.4, y-math.Abs(r.NormFloat64())*size*0.5, size*(0.4+0.6*r.Float64()), size*0.8, hexTone(0xffffff), 0.5)
		}
	}
	c.fillBelow(c.ridgeLine(r, h*0.5, h*0.05, 0.4, 2), hexTone(0x7fae86), hexTone(0x6d9a66))
	c.fillBelow(c.ridgeLine(r, h*0.58, h*0.04, 0.4, 2), hexTone(0x6fa552), hexTone(0x2f6b32))
	bloom := pickOne(r, []tone{hexTone(0xe63946), hexTone(0xf4c430), hexTone(0xb583d6), hexTone(0xff8fab)})
	for i := range 1100 {
		near := float64(i) / 1100
		y := h * (0.64 + 0.38*near*near)
		size := h * (0.002 + 0.011*near*near)
		x := w * r.Float64()
		c.paintRectangle(int(x), int(y), int(x+max(size*0.2, 1)), int(y+size*3), hexTone(0x2c5e2e), 0.5)
		c.paintDisc(x, y, size*(0.6+0.6*r.Float64()), size*0.5, bloom.mixedWith(hexTone(0x5a1020), 0.3*r.Float64()), 0.95)
	}
}

func paintForest(c *painting, r *rand.Rand) {
	p := pickOne(r, [][2]tone{
		{hexTone(0xdfe8e6), hexTone(0x12302b)}, {hexTone(0xf3e3cf), hexTone(0x2c2a1e)}, {hexTone(0xd5dff0), hexTone(0x14233a)},
	})
	w, h := float64(c.w), float64(c.h)
	c.fillGradient(0, c.h, p[0].mixedWith(hexTone(0xffffff), 0.5), p[0], p[0].mixedWith(p[1], 0.2))
	for i := range 5 {
		near := float64(i+1) / 5
		wood := p[0].mixedWith(p[1], 0.12+0.86*near*near)
		line := c.ridgeLine(r, h*(0.38+0.14*float64(i)), h*0.05, 0.5, 3)
		c.fillBelow(line, wood, p[0].mixedWith(wood, 0.75+0.25*near)) // the nearest has no mist, in which the feet of its pines would show
		for x := 0.0; x < w; x += w * (0.008 + 0.022*near*r.Float64()) {
			tall := h * (0.05 + 0.13*near) * (0.6 + 0.6*r.Float64())
			foot := line[int(x)] + h*0.02
			for part := range 3 { // a pine is three triangles
				c.paintTriangle(x, foot-tall*0.26*float64(part), tall*(0.36-0.07*float64(part)), tall*0.5, wood)
			}
		}
	}
}

// pickOne returns a random one of several.
func pickOne[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
