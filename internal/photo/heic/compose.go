package heic

import (
	"context"
	"image"
	"image/color"

	"github.com/doubletap/doubletap/internal/photo/heif"
	"github.com/doubletap/doubletap/internal/photo/plane"
)

// decodedPicture is a picture that has been decoded. alpha, if not nil, has one plane, as large as the picture.
type decodedPicture struct {
	*plane.Picture
	alpha         *plane.Picture
	premultiplied bool
}

// withoutAlpha returns the picture without alpha, which is freed.
func (s decodedPicture) withoutAlpha() *plane.Picture {
	if s.alpha != nil {
		s.FlattenOnWhite(s.alpha.Y, s.premultiplied)
		s.alpha.Release()
	}
	return s.Picture
}

// free gives the picture's planes back: what is put together from many has memory for one at a time.
func (s decodedPicture) free() {
	s.Picture.Release()
	s.alpha.Release()
}

// composePicture decodes a picture and all that it is put together from.
func (d *Decoder) composePicture(ctx context.Context, p *heif.Picture) (s decodedPicture, err error) {
	switch {
	case p.Coded != nil:
		s.Picture, err = d.decodeSamples(ctx, p.Coded)
		if err == nil {
			convertToJPEGRange(s.Picture, p.Color)
		}
	case p.Blend:
		s.Picture, err = d.composeOverlay(ctx, p)
	case len(p.Parts) == 1 && p.Parts[0].Width == p.Canvas.X && p.Parts[0].Height == p.Canvas.Y:
		s, err = d.composePicture(ctx, p.Parts[0].Picture)
	default:
		s.Picture, err = d.composeGrid(ctx, p)
	}
	if err != nil {
		return decodedPicture{}, err
	}
	for _, c := range p.Changes {
		s.Picture = applyChange(s.Picture, c)
		if s.alpha != nil {
			s.alpha = applyChange(s.alpha, c)
		}
	}
	if p.Alpha == nil {
		return s, nil
	}
	s.Picture = s.withoutAlpha() // alpha of the parts is flattened before the picture's own applies
	alpha, err := d.composePicture(ctx, p.Alpha)
	if err != nil {
		return decodedPicture{}, err
	}
	s.alpha, s.premultiplied = resizeNearest(alpha.Picture, s.W, s.H), p.Premultiplied
	return s, nil
}

// composeGrid returns the parts, decoded and laid side by side.
func (d *Decoder) composeGrid(ctx context.Context, p *heif.Picture) (*plane.Picture, error) {
	var canvas *plane.Picture
	for _, part := range p.Parts {
		at := image.Rectangle{part.At, part.At.Add(image.Pt(part.Width, part.Height))}
		if !at.Overlaps(image.Rectangle{Max: p.Canvas}) {
			continue
		}
		s, err := d.composePicture(ctx, part.Picture)
		if err != nil {
			return nil, err
		}
		tile := s.withoutAlpha()
		if canvas == nil {
			canvas = canvasFor(p, tile)
		}
		pastePicture(canvas, tile, part.At)
		tile.Release()
	}
	return canvas, nil
}

// canvasFor returns a canvas with the tile's subsampling of colours, if the colours of all tiles then meet; else with
// colours in full.
func canvasFor(p *heif.Picture, tile *plane.Picture) *plane.Picture {
	subX, subY := tile.SubX, tile.SubY
	if tile.IsGray() && !p.IsGray() || tile.W%subX != 0 || tile.H%subY != 0 {
		subX, subY = 1, 1
	}
	return plane.New(p.Canvas.X, p.Canvas.Y, subX, subY, p.IsGray())
}

// composeOverlay returns the parts, decoded and laid over each other. Its colours are not subsampled, since a part
// may lie anywhere.
func (d *Decoder) composeOverlay(ctx context.Context, p *heif.Picture) (*plane.Picture, error) {
	canvas := plane.New(p.Canvas.X, p.Canvas.Y, 1, 1, false)
	on := uint32(0xFFFF - p.Fill.A)
	over := func(c uint16) uint8 { return uint8((uint32(c)*uint32(p.Fill.A)/0xFFFF + on) >> 8) }
	y, cb, cr := color.RGBToYCbCr(over(p.Fill.R), over(p.Fill.G), over(p.Fill.B))
	fillBytes(canvas.Y.Pix, y)
	fillBytes(canvas.Cb.Pix, cb)
	fillBytes(canvas.Cr.Pix, cr)
	for _, part := range p.Parts {
		s, err := d.composePicture(ctx, part.Picture)
		if err != nil {
			return nil, err
		}
		if s.alpha == nil {
			pastePicture(canvas, s.Picture, part.At)
		} else {
			blendPicture(canvas, s, part.At)
		}
		s.free()
	}
	return canvas, nil
}

func fillBytes(pix []byte, v byte) {
	for i := range pix {
		pix[i] = v
	}
}
