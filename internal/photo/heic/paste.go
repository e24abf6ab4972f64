package heic

import (
	"image"

	"github.com/doubletap/doubletap/internal/photo/heif"
	"github.com/doubletap/doubletap/internal/photo/plane"
)

// pastePicture copies src to the place at in dst, as far as it lies inside.
func pastePicture(dst, src *plane.Picture, at image.Point) {
	pastePlane(dst.Y, src.Y, at, 1, 1, 1, 1)
	if dst.IsGray() {
		return
	}
	if src.IsGray() {
		gray := make([]byte, src.W)
		fillBytes(gray, 128)
		none := plane.Plane{Pix: gray, W: src.W, H: src.H} // each row is the same
		pastePlane(dst.Cb, none, at, dst.SubX, dst.SubY, 1, 1)
		pastePlane(dst.Cr, none, at, dst.SubX, dst.SubY, 1, 1)
		return
	}
	pastePlane(dst.Cb, src.Cb, at, dst.SubX, dst.SubY, src.SubX, src.SubY)
	pastePlane(dst.Cr, src.Cr, at, dst.SubX, dst.SubY, src.SubX, src.SubY)
}

// pastePlane copies a plane to the place at, in samples of brightness. dstX, dstY, srcX and srcY say how many samples
// of brightness share one sample of each plane.
func pastePlane(dst, src plane.Plane, at image.Point, dstX, dstY, srcX, srcY int) {
	fromX, toX := coveredSpan(dst.W, dstX, at.X, src.W*srcX)
	fromY, toY := coveredSpan(dst.H, dstY, at.Y, src.H*srcY)
	if fromX >= toX { // it lies outside
		return
	}
	for y := fromY; y < toY; y++ {
		row := dst.Pix[y*dst.Stride:]
		line := src.Pix[(y*dstY-at.Y)/srcY*src.Stride:]
		if dstX == srcX {
			copy(row[fromX:toX], line[(fromX*dstX-at.X)/srcX:])
			continue
		}
		for x := fromX; x < toX; x++ {
			row[x] = line[(x*dstX-at.X)/srcX]
		}
	}
}

// coveredSpan returns which of n samples, each of which stands for sub, lie between at and at + size.
func coveredSpan(n, sub, at, size int) (from, to int) {
	return min(max((at+sub-1)/sub, 0), n), min(max((at+size+sub-1)/sub, 0), n)
}

// blendPicture lays a picture with alpha on a canvas whose colours are not subsampled.
func blendPicture(dst *plane.Picture, src decodedPicture, at image.Point) {
	layer := plane.New(src.W, src.H, 1, 1, false)
	defer layer.Release()
	pastePicture(layer, src.Picture, image.Point{})
	visible := image.Rect(0, 0, dst.W, dst.H).Intersect(image.Rectangle{at, at.Add(image.Pt(src.W, src.H))})
	for y := visible.Min.Y; y < visible.Max.Y; y++ {
		alpha := src.alpha.Y.Pix[(y-at.Y)*src.alpha.Y.Stride:]
		for i, from := range []plane.Plane{layer.Y, layer.Cb, layer.Cr} {
			to := []plane.Plane{dst.Y, dst.Cb, dst.Cr}[i]
			zero := []int{0, 128, 128}[i] // the value around which this plane is multiplied
			line, row := from.Pix[(y-at.Y)*from.Stride:], to.Pix[y*to.Stride:]
			for x := visible.Min.X; x < visible.Max.X; x++ {
				a := int(alpha[x-at.X])
				v := int(line[x-at.X]) * a
				if src.premultiplied {
					v = int(line[x-at.X])*255 - zero*(255-a)
				}
				row[x] = byte(min(max((v+int(row[x])*(255-a)+127)/255, 0), 255))
			}
		}
	}
}

// applyChange returns the picture, cropped or turned. It releases p unless it returns p itself.
func applyChange(p *plane.Picture, c heif.Change) *plane.Picture {
	if c.Crop.Empty() {
		return plane.Orient(p, c.Orientation)
	}
	subX, subY := p.SubX, p.SubY
	if c.Crop.Min.X%subX != 0 || c.Crop.Min.Y%subY != 0 { // the colours would move by a part of a sample
		subX, subY = 1, 1
	}
	out := plane.New(c.Crop.Dx(), c.Crop.Dy(), subX, subY, p.IsGray())
	pastePicture(out, p, image.Point{}.Sub(c.Crop.Min))
	p.Release()
	return out
}

// resizeNearest returns the brightness of p in another size, each sample the nearest, and frees p if that is another picture.
func resizeNearest(p *plane.Picture, w, h int) *plane.Picture {
	if p.W == w && p.H == h {
		return p
	}
	defer p.Release()
	out := plane.New(w, h, 1, 1, true)
	for y := range h {
		row, line := out.Y.Pix[y*out.Y.Stride:], p.Y.Pix[y*p.H/h*p.Y.Stride:]
		for x := range w {
			row[x] = line[x*p.W/w]
		}
	}
	return out
}
