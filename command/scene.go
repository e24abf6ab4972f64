package command

import (
	"math"
	"math/rand/v2"
)

// scene is a kind of picture, and what people write under one.
type scene struct {
	alt      string
	captions []string
	tags     []string
	paint    func(c *canvas, r *rand.Rand)
}

// The places of the scenes in their list.
const (
	inMountains = iota
	atSea
	atNight
	inTown
	outOfFocus
	inFields
	inWoods
)

var scenes = []scene{
	inMountains: {"Mountains behind each other in the haze", []string{"Worth every step up here", "Above the clouds before breakfast", "The last ridge of the day"}, []string{"mountains", "hiking", "goldenhour"}, mountains},
	atSea:       {"The sun over a calm sea", []string{"Salt in the hair, sand in the shoes", "Just me and the gulls", "Nobody wanted to leave"}, []string{"sea", "sunset", "slowdays"}, sea},
	atNight:     {"Northern lights over dark hills", []string{"Waited three nights for this", "No filter, only cold fingers", "Could not feel my toes, did not care"}, []string{"nightsky", "aurora", "stars"}, night},
	inTown:      {"A city at dusk with lit windows", []string{"Home, from the roof", "Blue hour and nowhere to be", "Eight million people and so quiet"}, []string{"city", "bluehour", "rooftops"}, city},
	outOfFocus:  {"Lights out of focus", []string{"Lens wide open", "Rain on the window, music on", "Saturday, slightly out of focus"}, []string{"bokeh", "lights", "35mm"}, bokeh},
	inFields:    {"A field of flowers under clouds", []string{"Took the long way round", "Spring finally means it", "Picnic weather at last"}, []string{"spring", "flowers", "countryside"}, field},
	inWoods:     {"Pines in the morning mist", []string{"It smells as good as it looks", "Five in the morning has its moments", "Lost the path, found this"}, []string{"forest", "mist", "earlybird"}, forest},
}

func mountains(c *canvas, r *rand.Rand) {
	p := pick(r, [][4]tone{
		{hex(0x2b3a67), hex(0xf08a5d), hex(0xffd8a8), hex(0x1b1b3a)},
		{hex(0x5aa9e6), hex(0xbfe3f5), hex(0xfff1d6), hex(0x1f3b4d)},
		{hex(0x3d2c5e), hex(0xc75b7a), hex(0xffc3a0), hex(0x22162b)},
		{hex(0x84a9c0), hex(0xd7e3ea), hex(0xf7f4ea), hex(0x33475b)},
	})
	w, h := float64(c.w), float64(c.h)
	c.sky(0, c.h*7/10, p[0], p[1], p[2])
	x, y := w*(0.2+0.6*r.Float64()), h*(0.25+0.2*r.Float64())
	c.disc(x, y, h*0.05, h*0.3, p[2], 0.5)
	c.disc(x, y, h*0.045, 2, hex(0xfffaf0), 0.95)
	for i := range 5 {
		near := float64(i+1) / 5
		line := c.ridge(r, h*(0.42+0.11*float64(i)), h*(0.10-0.008*float64(i)), 0.5, 2+i)
		c.ground(line, p[1].to(p[3], near), p[2].to(p[3], near*near))
	}
}

func sea(c *canvas, r *rand.Rand) {
	p := pick(r, [][4]tone{
		{hex(0x355c7d), hex(0xf67280), hex(0xffd29d), hex(0x1d3557)},
		{hex(0x48a9c5), hex(0xa9dde6), hex(0xfef3d0), hex(0x0b5563)},
		{hex(0x4a3f6b), hex(0xee7b5a), hex(0xffe0a3), hex(0x2a2140)},
	})
	w, h := float64(c.w), float64(c.h)
	horizon := h * (0.5 + 0.12*r.Float64())
	c.sky(0, int(horizon), p[0], p[1], p[2])
	x, y := w*(0.25+0.5*r.Float64()), horizon-h*(0.02+0.14*r.Float64())
	c.disc(x, y, h*0.06, h*0.4, p[2], 0.55)
	c.disc(x, y, h*0.06, 2, hex(0xfff7e0), 1)
	c.sky(int(horizon), c.h, p[1].to(p[3], 0.35), p[3], p[3].to(hex(0), 0.3))
	for y := horizon + 1; y < h; y += 1 + (y-horizon)*0.012 {
		deep := (y - horizon) / (h - horizon)
		for range 5 { // glitter under the sun, and waves everywhere
			long := w * (0.015 + 0.05*deep) * r.Float64()
			at := x + r.NormFloat64()*w*(0.03+0.10*deep)
			c.box(int(at), int(y), int(at+long), int(y+1+2*deep), p[2], 0.5*(1-0.5*deep))
			at = w * r.Float64()
			c.box(int(at), int(y), int(at+long*2), int(y+1+2*deep), p[0], 0.18)
		}
	}
	if r.IntN(2) == 0 {
		x, size := w*(0.1+0.8*r.Float64()), h*(0.03+0.05*r.Float64())
		c.spike(x, horizon+size*0.1, size*0.7, size, hex(0xfdfbf5))
		c.box(int(x-size*0.45), int(horizon+size*0.1), int(x+size*0.45), int(horizon+size*0.24), p[3].to(hex(0), 0.4), 1)
	}
}

func field(c *canvas, r *rand.Rand) {
	w, h := float64(c.w), float64(c.h)
	c.sky(0, c.h*6/10, hex(0x3f8fd2), hex(0x9fd3f0), hex(0xe8f6fb))
	for range 5 {
		x, y, size := w*r.Float64(), h*(0.08+0.3*r.Float64()), h*(0.02+0.03*r.Float64())
		for range 14 {
			c.disc(x+r.NormFloat64()*size*2.4, y-math.Abs(r.NormFloat64())*size*0.5, size*(0.4+0.6*r.Float64()), size*0.8, hex(0xffffff), 0.5)
		}
	}
	c.ground(c.ridge(r, h*0.5, h*0.05, 0.4, 2), hex(0x7fae86), hex(0x6d9a66))
	c.ground(c.ridge(r, h*0.58, h*0.04, 0.4, 2), hex(0x6fa552), hex(0x2f6b32))
	bloom := pick(r, []tone{hex(0xe63946), hex(0xf4c430), hex(0xb583d6), hex(0xff8fab)})
	for i := range 1100 {
		near := float64(i) / 1100
		y := h * (0.64 + 0.38*near*near)
		size := h * (0.002 + 0.011*near*near)
		x := w * r.Float64()
		c.box(int(x), int(y), int(x+max(size*0.2, 1)), int(y+size*3), hex(0x2c5e2e), 0.5)
		c.disc(x, y, size*(0.6+0.6*r.Float64()), size*0.5, bloom.to(hex(0x5a1020), 0.3*r.Float64()), 0.95)
	}
}

func forest(c *canvas, r *rand.Rand) {
	p := pick(r, [][2]tone{
		{hex(0xdfe8e6), hex(0x12302b)}, {hex(0xf3e3cf), hex(0x2c2a1e)}, {hex(0xd5dff0), hex(0x14233a)},
	})
	w, h := float64(c.w), float64(c.h)
	c.sky(0, c.h, p[0].to(hex(0xffffff), 0.5), p[0], p[0].to(p[1], 0.2))
	for i := range 5 {
		near := float64(i+1) / 5
		wood := p[0].to(p[1], 0.12+0.86*near*near)
		line := c.ridge(r, h*(0.38+0.14*float64(i)), h*0.05, 0.5, 3)
		c.ground(line, wood, p[0].to(wood, 0.75))
		for x := 0.0; x < w; x += w * (0.008 + 0.022*near*r.Float64()) {
			tall := h * (0.05 + 0.13*near) * (0.6 + 0.6*r.Float64())
			foot := line[int(x)] + h*0.02
			for part := range 3 { // a pine is three spikes
				c.spike(x, foot-tall*0.26*float64(part), tall*(0.36-0.07*float64(part)), tall*0.5, wood)
			}
		}
	}
}

// pick chooses one of several.
func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
