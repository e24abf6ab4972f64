package plane

// FlattenOnWhite lays the picture, which starts at 0, 0 of alpha, on white: 255 in Y and 128 in the colours.
// premultiplied says that its samples have been multiplied with alpha.
func (p *Picture) FlattenOnWhite(alpha Plane, premultiplied bool) {
	for y := range p.H {
		row := p.Y.Pix[y*p.Y.Stride:][:p.W]
		for x, a := range alpha.Pix[y*alpha.Stride:][:p.W] {
			if premultiplied {
				row[x] = byte(min(int(row[x])+255-int(a), 255))
			} else {
				row[x] = blendOver(row[x], 255, int(a), 255)
			}
		}
	}
	if p.IsGray() || premultiplied { // premultiplied colours already have their final distance from gray
		return
	}
	for y := range p.Cb.H {
		cb, cr := p.Cb.Pix[y*p.Cb.Stride:][:p.Cb.W], p.Cr.Pix[y*p.Cr.Stride:][:p.Cr.W]
		for x := range cb {
			sum, count := 0, 0 // of alpha, over the samples of Y that share this one
			for j := y * p.SubY; j < min((y+1)*p.SubY, p.H); j++ {
				for i := x * p.SubX; i < min((x+1)*p.SubX, p.W); i++ {
					sum, count = sum+int(alpha.Pix[j*alpha.Stride+i]), count+255
				}
			}
			cb[x], cr[x] = blendOver(cb[x], 128, sum, count), blendOver(cr[x], 128, sum, count)
		}
	}
}

// blendOver returns v laid on another value; part of whole is how opaque v is.
func blendOver(v, on byte, part, whole int) byte {
	return byte((int(v)*part + int(on)*(whole-part) + whole/2) / whole)
}
