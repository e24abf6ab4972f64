package heif

// DecoderMemory returns how many bytes libheif takes at most for one of the coded pictures.
func (p *Picture) DecoderMemory() (most int64) {
	p.forEachCoded(func(c *Coded) { most = max(most, c.decoderMemory()) })
	return most
}

// decoderMemory was measured: libheif has the picture two or three times, once with a byte of each colour and one of nothing
// for each pixel, and the units as often.
func (c *Coded) decoderMemory() int64 {
	perPixel := map[int]int64{0: 10, 1: 23, 2: 29}[c.SubX] // in halves
	if c.Depth > 8 {
		perPixel = map[int]int64{0: 17, 1: 41, 2: 41}[c.SubX]
	}
	return int64(c.Width)*int64(c.Height)*perPixel/2 + 4*int64(c.ByteCount()) + 2<<20
}

// PlanesMemory returns how many bytes the picture takes at most while it is put together from decoded parts: twice what it
// is, since it may be turned, beside the same of the part that is at it.
func (p *Picture) PlanesMemory() int64 {
	var part int64
	for _, other := range p.Parts {
		part = max(part, other.PlanesMemory())
	}
	if p.Alpha != nil {
		part = max(part, p.Alpha.PlanesMemory())
	}
	return 6*int64(p.Canvas.X)*int64(p.Canvas.Y) + part
}

// forEachCoded calls visit for all coded pictures.
func (p *Picture) forEachCoded(visit func(*Coded)) {
	if p.Coded != nil {
		visit(p.Coded)
	}
	for _, part := range p.Parts {
		part.forEachCoded(visit)
	}
	if p.Alpha != nil {
		p.Alpha.forEachCoded(visit)
	}
}
