package heif

// Memory returns how many bytes libheif takes at most for one of the coded pictures.
func (p *Picture) Memory() (most int64) {
	p.each(func(c *Coded) { most = max(most, c.memory()) })
	return most
}

// memory was measured: libheif has the picture two or three times, once with a byte of each colour and one of nothing
// for each pixel, and the units as often.
func (c *Coded) memory() int64 {
	perPixel := map[int]int64{0: 10, 1: 23, 2: 29}[c.SubX] // in halves
	if c.Depth > 8 {
		perPixel = map[int]int64{0: 17, 1: 41, 2: 41}[c.SubX]
	}
	return int64(c.Width)*int64(c.Height)*perPixel/2 + 4*int64(c.Size()) + 2<<20
}

// Planes returns how many bytes the picture takes at most while it is put together from decoded parts: twice what it
// is, since it may be turned, beside the same of the part that is at it.
func (p *Picture) Planes() int64 {
	var part int64
	for _, other := range p.Parts {
		part = max(part, other.Planes())
	}
	if p.Alpha != nil {
		part = max(part, p.Alpha.Planes())
	}
	return 6*int64(p.Canvas.X)*int64(p.Canvas.Y) + part
}

// each calls visit for all coded pictures.
func (p *Picture) each(visit func(*Coded)) {
	if p.Coded != nil {
		visit(p.Coded)
	}
	for _, part := range p.Parts {
		part.each(visit)
	}
	if p.Alpha != nil {
		p.Alpha.each(visit)
	}
}
