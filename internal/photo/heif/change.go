package heif

import (
	"image"
	"math"
)

// readChanges reads the changes that are made to a picture once it is put together, in the order of its item's
// properties.
func (p *Picture) readChanges(properties []box) error {
	for _, property := range properties {
		data := fieldReader{rest: property.data}
		c := Change{}
		switch property.name {
		case "clap":
			var err error
			if c.Crop, err = readCrop(&data, p.Width, p.Height); err != nil {
				return err
			}
			if c.Crop == image.Rect(0, 0, p.Width, p.Height) {
				continue
			}
			p.Width, p.Height = c.Crop.Dx(), c.Crop.Dy()
		case "irot": // against the clock
			if c.Orientation = [4]int{1, 8, 3, 6}[data.readNumber(1)&3]; c.Orientation > 4 {
				p.Width, p.Height = p.Height, p.Width
			}
		case "imir": // upside down, or left to right
			c.Orientation = [2]int{4, 2}[data.readNumber(1)&1]
		default:
			continue
		}
		if data.short {
			return ErrDamaged
		}
		if c.Orientation != 1 {
			p.Changes = append(p.Changes, c)
		}
	}
	return nil
}

// cropToExtent crops what an encoder has added on the right and below to fill its blocks, if extent, the item's ispe,
// gives a smaller size.
func (p *Picture) cropToExtent(extent []byte) error {
	if extent == nil {
		return nil
	}
	data := fieldReader{rest: extent}
	data.readVersion()
	w, h := data.readNumber(4), data.readNumber(4)
	if data.short || w == 0 || h == 0 || w > uint64(p.Width) || h > uint64(p.Height) {
		return ErrDamaged
	}
	if all, seen := image.Rect(0, 0, p.Width, p.Height), image.Rect(0, 0, int(w), int(h)); seen != all {
		p.Changes = append(p.Changes, Change{Crop: seen})
		p.Width, p.Height = int(w), int(h)
	}
	return nil
}

// readCrop reads a clean aperture: the size of what stays and the distance of its middle from the picture's, in
// fractions. An edge between two samples moves to the left one or, as in libheif, to the lower one.
func readCrop(data *fieldReader, w, h int) (image.Rectangle, error) {
	var value [4]float64 // width, height, right of the middle, below the middle
	for i := range value {
		numerator, denominator := int32(data.readNumber(4)), uint32(data.readNumber(4))
		if data.short || denominator == 0 {
			return image.Rectangle{}, ErrDamaged
		}
		if value[i] = float64(numerator) / float64(denominator); i < 2 && value[i] < 0.5 {
			return image.Rectangle{}, ErrDamaged
		}
	}
	x := int(math.Floor(value[2] + (float64(w)-value[0])/2))
	y := int(math.Floor(value[3] + (float64(h)-value[1])/2 + 0.5))
	crop := image.Rect(x, y, x+int(math.Round(value[0])), y+int(math.Round(value[1])))
	crop = crop.Intersect(image.Rect(0, 0, w, h))
	if crop.Empty() {
		return crop, ErrDamaged
	}
	return crop, nil
}
