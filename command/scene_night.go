package command

import "math/rand/v2"

func night(c *canvas, r *rand.Rand) {
	w, h := float64(c.w), float64(c.h)
	glow := pick(r, []tone{hex(0x38f2a5), hex(0x6ee7f2), hex(0xb388ff)})
	c.sky(0, c.h, hex(0x060b1c), hex(0x10203f), hex(0x1f3a55))
	for range 350 {
		c.disc(w*r.Float64(), h*0.75*r.Float64(), 0.4+r.Float64()*1.6, 1, hex(0xf4f7ff), 0.4+0.6*r.Float64())
	}
	for i := range 3 {
		line := c.ridge(r, h*(0.48+0.06*float64(i)), h*0.12, 0.55, 3)
		rays := c.ridge(r, 0.5, 0.5, 0.8, 8)
		tall := h * (0.28 + 0.12*r.Float64())
		for x := range c.w {
			strength := min(max(rays[x], 0), 1) * 0.55
			for y := line[x] - tall; y < line[x]; y++ {
				t := (line[x] - y) / tall
				c.lay(x, int(y), glow.to(hex(0x8a5cff), t), strength*(1-t)*min(t*12, 1))
			}
		}
	}
	c.ground(c.ridge(r, h*0.78, h*0.07, 0.5, 3), hex(0x0d1a26), hex(0x0a1119))
	c.ground(c.ridge(r, h*0.88, h*0.05, 0.5, 4), hex(0x070d13), hex(0x030508))
}

func city(c *canvas, r *rand.Rand) {
	p := pick(r, [][3]tone{
		{hex(0x1f2a5a), hex(0x8e5ea2), hex(0xffb88c)},
		{hex(0x0f2c4d), hex(0x3f7cac), hex(0xf2c6a0)},
		{hex(0x2d1b4e), hex(0xd1495b), hex(0xffc857)},
	})
	c.sky(0, c.h*8/10, p[0], p[1], p[2])
	for layer := range 3 {
		near := float64(layer+1) / 3
		wall := p[1].to(hex(0x0b0f1c), 0.35+0.6*near)
		for x := -r.IntN(30); x < c.w; {
			wide := int(float64(c.w) * (0.04 + 0.05*r.Float64()) * (0.7 + 0.5*near))
			top := int(float64(c.h) * (0.32 + 0.17*float64(layer) + 0.2*r.Float64()))
			c.box(x, top, x+wide, c.h, wall, 1)
			size := 4 + 3*layer
			for wy := top + size*2; wy < c.h-size; wy += size * 5 / 2 {
				for wx := x + size; wx < x+wide-size; wx += size * 2 {
					if r.IntN(100) < 34 {
						c.box(wx, wy, wx+size, wy+size*3/2, pick(r, []tone{hex(0xffe1a1), hex(0xffc46b), hex(0xe9f1ff)}), 0.25+0.6*near)
					}
				}
			}
			x += wide + r.IntN(6)
		}
	}
}

func bokeh(c *canvas, r *rand.Rand) {
	p := pick(r, [][4]tone{
		{hex(0x1a0b2e), hex(0x4b1d52), hex(0xff9f5a), hex(0xff4f79)},
		{hex(0x06141f), hex(0x123c4a), hex(0x7ce0d3), hex(0xffd36e)},
		{hex(0x14101f), hex(0x2b2450), hex(0x8fa8ff), hex(0xff8ad1)},
	})
	w, h := float64(c.w), float64(c.h)
	c.sky(0, c.h, p[0], p[1], p[0])
	for range 60 {
		size := h * (0.015 + 0.07*r.Float64()*r.Float64())
		x, y := w*r.Float64(), h*(0.5+0.2*r.NormFloat64())
		t := p[2].to(p[3], r.Float64())
		c.disc(x, y, size, size*0.12, t, 0.16+0.3*r.Float64())
		c.disc(x, y, size*0.8, size*0.2, t.to(hex(0xffffff), 0.3), 0.10)
	}
}
