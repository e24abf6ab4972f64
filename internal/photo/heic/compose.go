package heic

import (
	"context"
	"image"
	"image/color"

	"doubletap/internal/photo/heif"
	"doubletap/internal/photo/plane"
)

// shown is a picture that has been decoded. Alpha, if there is one, has one plane as large as the picture's.
type shown struct {
	*plane.Picture
	alpha         *plane.Picture
	premultiplied bool
}

// onWhite returns the picture without alpha, which is freed.
func (s shown) onWhite() *plane.Picture {
	if s.alpha != nil {
		s.OnWhite(s.alpha.Y, s.premultiplied)
		s.alpha.Free()
	}
	return s.Picture
}

// free gives the picture's planes back: what is put together from many has memory for one at a time.
func (s shown) free() {
	s.Picture.Free()
	s.alpha.Free()
}

// compose decodes a picture and all that it is put together from.
func (d *Decoder) compose(ctx context.Context, p *heif.Picture) (s shown, err error) {
	switch {
	case p.Coded != nil:
		s.Picture, err = d.samples(ctx, p.Coded)
		if err == nil {
			toJPEG(s.Picture, p.Color)
		}
	case p.Blend:
		s.Picture, err = d.overlay(ctx, p)
	case len(p.Parts) == 1 && p.Parts[0].Width == p.Canvas.X && p.Parts[0].Height == p.Canvas.Y:
		s, err = d.compose(ctx, p.Parts[0].Picture)
	default:
		s.Picture, err = d.grid(ctx, p)
	}
	if err != nil {
		return shown{}, err
	}
	for _, c := range p.Changes {
		s.Picture = change(s.Picture, c)
		if s.alpha != nil {
			s.alpha = change(s.alpha, c)
		}
	}
	if p.Alpha == nil {
		return s, nil
	}
	s.Picture = s.onWhite() // what was clear before stays so
	alpha, err := d.compose(ctx, p.Alpha)
	if err != nil {
		return shown{}, err
	}
	s.alpha, s.premultiplied = enlarged(alpha.Picture, s.W, s.H), p.Premultiplied
	return s, nil
}

// grid lays parts side by side.
func (d *Decoder) grid(ctx context.Context, p *heif.Picture) (*plane.Picture, error) {
	var canvas *plane.Picture
	for _, part := range p.Parts {
		at := image.Rectangle{part.At, part.At.Add(image.Pt(part.Width, part.Height))}
		if !at.Overlaps(image.Rectangle{Max: p.Canvas}) {
			continue
		}
		s, err := d.compose(ctx, part.Picture)
		if err != nil {
			return nil, err
		}
		tile := s.onWhite()
		if canvas == nil {
			canvas = canvasFor(p, tile)
		}
		paste(canvas, tile, part.At)
		tile.Free()
	}
	return canvas, nil
}

// canvasFor returns a canvas whose colours are as far apart as a tile's, if those of all tiles then lie side by side.
func canvasFor(p *heif.Picture, tile *plane.Picture) *plane.Picture {
	subX, subY := tile.SubX, tile.SubY
	if tile.Gray() && !p.Gray() || tile.W%subX != 0 || tile.H%subY != 0 {
		subX, subY = 1, 1
	}
	return plane.New(p.Canvas.X, p.Canvas.Y, subX, subY, p.Gray())
}

// overlay lays parts over each other, in full colours, since a part may lie anywhere.
func (d *Decoder) overlay(ctx context.Context, p *heif.Picture) (*plane.Picture, error) {
	canvas := plane.New(p.Canvas.X, p.Canvas.Y, 1, 1, false)
	on := uint32(0xFFFF - p.Fill.A)
	over := func(c uint16) uint8 { return uint8((uint32(c)*uint32(p.Fill.A)/0xFFFF + on) >> 8) }
	y, cb, cr := color.RGBToYCbCr(over(p.Fill.R), over(p.Fill.G), over(p.Fill.B))
	fill(canvas.Y.Pix, y)
	fill(canvas.Cb.Pix, cb)
	fill(canvas.Cr.Pix, cr)
	for _, part := range p.Parts {
		s, err := d.compose(ctx, part.Picture)
		if err != nil {
			return nil, err
		}
		if s.alpha == nil {
			paste(canvas, s.Picture, part.At)
		} else {
			blend(canvas, s, part.At)
		}
		s.free()
	}
	return canvas, nil
}

func fill(pix []byte, v byte) {
	for i := range pix {
		pix[i] = v
	}
}
