package plane

// Orient returns the picture as a viewer shall see it. orientation is EXIF's, 1 (as it is stored) to 8. Orient
// releases p unless it returns p itself.
func Orient(p *Picture, orientation int) *Picture {
	if orientation < 2 || orientation > 8 {
		return p
	}
	w, h, subX, subY := p.W, p.H, p.SubX, p.SubY
	if orientation >= 5 {
		w, h, subX, subY = h, w, subY, subX
	}
	out := New(w, h, subX, subY, p.IsGray())
	turnPlane(out.Y, p.Y, orientation)
	if !p.IsGray() {
		turnPlane(out.Cb, p.Cb, orientation)
		turnPlane(out.Cr, p.Cr, orientation)
	}
	p.Release()
	return out
}

// MirroredAxes reports whether the orientation reverses the order of the stored picture's columns (x) or rows (y).
func MirroredAxes(orientation int) (x, y bool) {
	switch orientation {
	case 2:
		return true, false
	case 3:
		return true, true
	case 4:
		return false, true
	case 6: // stored rows become columns from right to left
		return false, true
	case 7:
		return true, true
	case 8:
		return true, false
	}
	return false, false
}

// turnPlane fills dst from src. In stored terms: sample (x, y) of dst is sample (sx, sy) of src, mirrored as
// MirroredAxes says, after a transposition for 5 to 8.
func turnPlane(dst, src Plane, orientation int) {
	mirrorX, mirrorY := MirroredAxes(orientation)
	if orientation < 5 {
		for y := range dst.H {
			sy := y
			if mirrorY {
				sy = src.H - 1 - y
			}
			from, to := src.Pix[sy*src.Stride:][:src.W], dst.Pix[y*dst.Stride:][:dst.W]
			if !mirrorX {
				copy(to, from)
				continue
			}
			for x := range to {
				to[x] = from[len(from)-1-x]
			}
		}
		return
	}
	for y := range dst.H {
		sx := y
		if mirrorX {
			sx = src.W - 1 - y
		}
		at, step := sx, src.Stride
		if mirrorY {
			at, step = (src.H-1)*src.Stride+sx, -src.Stride
		}
		to := dst.Pix[y*dst.Stride:][:dst.W]
		for x := range to {
			to[x] = src.Pix[at]
			at += step
		}
	}
}
