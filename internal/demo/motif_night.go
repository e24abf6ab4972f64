package demo

import "math/rand/v2"

func paintNight(c *painting, r *rand.Rand) {
	w, h := float64(c.w), float64(c.h)
	glow := pickOne(r, []tone{hexTone(0x38f2a5), hexTone(0x6ee7f2), hexTone(0xb388ff)})
	c.fillGradient(0, c.h, hexTone(0x060b1c), hexTone(0x10203f), hexTone(0x1f3a55))
	for range 350 {
		c.paintDisc(w*r.Float64(), h*0.75*r.Float64(), 0.4+r.Float64()*1.6, 1, hexTone(0xf4f7ff), 0.4+0.6*r.Float64())
	}
	for i := range 3 {
		line := c.ridgeLine(r, h*(0.48+0.06*float64(i)), h*0.12, 0.55, 3)
		rays := c.ridgeLine(r, 0.5, 0.5, 0.8, 8)
		tall := h * (0.28 + 0.12*r.Float64())
		for x := range c.w {
			strength := min(max(rays[x], 0), 1) * 0.55
			for y := line[x] - tall; y < line[x]; y++ {
				t := (line[x] - y) / tall
				c.blendPixel(x, int(y), glow.mixedWith(hexTone(0x8a5cff), t), strength*(1-t)*min(t*12, 1))
			}
		}
	}
	c.fillBelow(c.ridgeLine(r, h*0.78, h*0.07, 0.5, 3), hexTone(0x0d1a26), hexTone(0x0a1119))
	c.fillBelow(c.ridgeLine(r, h*0.88, h*0.05, 0.5, 4), hexTone(0x070d13), hexTone(0x030508))
}

func paintCity(c *painting, r *rand.Rand) {
	p := pickOne(r, [][3]tone{
		{hexTone(0x1f2a5a), hexTone(0x8e5ea2), hexTone(0xffb88c)},
		{hexTone(0x0f2c4d), hexTone(0x3f7cac), hexTone(0xf2c6a0)},
		{hexTone(0x2d1b4e), hexTone(0xd1495b), hexTone(0xffc857)},
	})
	c.fillGradient(0, c.h*8/10, p[0], p[1], p[2])
	for layer := range 3 {
		near := float64(layer+1) / 3
		wall := p[1].mixedWith(hexTone(0x0b0f1c), 0.35+0.6*near)
		for x := -r.IntN(30); x < c.w; {
			wide := int(float64(c.w) * (0.04 + 0.05*r.Float64()) * (0.7 + 0.5*near))
			top := int(float64(c.h) * (0.32 + 0.17*float64(layer) + 0.2*r.Float64()))
			c.paintRectangle(x, top, x+wide, c.h, wall, 1)
			size := 4 + 3*layer
			for wy := top + size*2; wy < c.h-size; wy += size * 5 / 2 {
				for wx := x + size; wx < x+wide-size; wx += size * 2 {
					if r.IntN(100) < 34 {
						c.paintRectangle(wx, wy, wx+size, wy+size*3/2, pickOne(r, []tone{hexTone(0xffe1a1), hexTone(0xffc46b), hexTone(0xe9f1ff)}), 0.25+0.6*near)
					}
				}
			}
			x += wide + r.IntN(6)
		}
	}
}

func paintBokeh(c *painting, r *rand.Rand) {
	p := pickOne(r, [][4]tone{
		{hexTone(0x1a0b2e), hexTone(0x4b1d52), hexTone(0xff9f5a), hexTone(0xff4f79)},
		{hexTone(0x06141f), hexTone(0x123c4a), hexTone(0x7ce0d3), hexTone(0xffd36e)},
		{hexTone(0x14101f), hexTone(0x2b2450), hexTone(0x8fa8ff), hexTone(0xff8ad1)},
	})
	w, h := float64(c.w), float64(c.h)
	c.fillGradient(0, c.h, p[0], p[1], p[0])
	for range 60 {
		size := h * (0.015 + 0.07*r.Float64()*r.Float64())
		x, y := w*r.Float64(), h*(0.5+0.2*r.NormFloat64())
		t := p[2].mixedWith(p[3], r.Float64())
		c.paintDisc(x, y, size, size*0.12, t, 0.16+0.3*r.Float64())
		c.paintDisc(x, y, size*0.8, size*0.2, t.mixedWith(hexTone(0xffffff), 0.3), 0.10)
	}
}
