package heif

// DecoderMemory returns the most bytes that libheif takes for one of the coded pictures.
func (p *Picture) DecoderMemory() (most int64) {
	p.forEachCoded(func(c *Coded) { most = max(most, c.decoderMemory()) })
	return most
}

// decoderMemory returns a measured bound, in bytes: libheif holds the picture two or three times, once with a byte
// for each colour and one unused byte for each pixel, and it holds the units as often.
func (c *Coded) decoderMemory() int64 {
	perPixel := map[int]int64{0: 10, 1: 23, 2: 29}[c.SubX] // in halves
	if c.Depth > 8 {
		perPixel = map[int]int64{0: 17, 1: 41, 2: 41}[c.SubX]
	}
	return int64(c.Width)*int64(c.Height)*perPixel/2 + 4*int64(c.ByteCount()) + 2<<20
}

// PlanesMemory returns the most bytes that the picture takes while it is put together from decoded parts: twice its
// own size, since it may be turned, and the same for the part that is being added.
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
