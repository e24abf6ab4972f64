package heif

import (
	"image"
	"image/color"
	"slices"
)

// Picture is an item that shows something: a coded picture, or one that is derived from others.
type Picture struct {
	// Width and Height are of the picture as it is shown, after Changes.
	Width, Height int
	// Coded is the picture itself, or nil: then Parts are laid at their places on a canvas.
	Coded  *Coded
	Parts  []Part
	Canvas image.Point
	Fill   color.NRGBA64 // of the canvas, where no part lies
	Blend  bool          // parts are laid over each other, else side by side
	// Changes are made in order when the picture is whole.
	Changes []Change
	// Alpha is as large as the picture, or is to be made so; nil where all is opaque.
	Alpha *Picture
	// Premultiplied says that the samples have been multiplied with Alpha.
	Premultiplied bool
	// Color is told where the file tells it of this item; of a coded picture, also where an item that it is part of or
	// its own parameter set does.
	Color Color
	// Profile is an ICC profile of this item, or else of the first part that has one.
	Profile []byte
	// CodedSamples is how many samples of brightness are decoded for it, parts and alpha with it.
	CodedSamples int64
}

// Part is a picture that another one is put together from.
type Part struct {
	*Picture
	At image.Point
}

// Change crops a picture, when Crop is not empty, or else turns it as EXIF's orientation does.
type Change struct {
	Crop        image.Rectangle
	Orientation int
}

// IsGray reports whether there are no colours in the picture.
func (p *Picture) IsGray() bool {
	if p.Coded != nil {
		return p.Coded.IsGray()
	}
	return !p.Blend && !slices.ContainsFunc(p.Parts, func(part Part) bool { return !part.IsGray() })
}

const (
	maxDepth    = 8
	maxPictures = 8192
	// minCodedSamples is what a coded picture counts at least: a decoder has to be started for it.
	minCodedSamples = 128 * 128
)

// ReadPrimary returns the primary picture of src, of which at most so many samples are to be decoded.
func ReadPrimary(src []byte, maxCoding int64) (*Picture, error) {
	f, err := readDirectory(src)
	if err != nil {
		return nil, err
	}
	r := pictureReader{fileDirectory: f, remainingSamples: maxCoding}
	return r.readPicture(f.primary, Color{}, 0)
}

// pictureReader builds the pictures of a file, within bounds.
type pictureReader struct {
	*fileDirectory
	remainingSamples int64 // samples that may still be decoded, or eight times as many copied
	pictureCount     int
}

// readPicture builds an item. In a coded one without a word on its colours, they are those of the item that it is part of.
func (r *pictureReader) readPicture(id uint32, inherited Color, depth int) (*Picture, error) {
	it := r.items[id]
	if r.pictureCount++; it == nil || depth > maxDepth {
		return nil, ErrDamaged
	}
	if r.pictureCount > maxPictures {
		return nil, ErrDirectory
	}
	p := &Picture{}
	p.Color, p.Profile = it.colorInfo()
	if !p.Color.Specified {
		p.Color = inherited
	}
	var err error
	switch it.kind {
	case "hvc1", "hev1":
		err = r.addCoded(p, it)
	case "grid", "iovl", "iden":
		err = r.addDerived(p, it, depth)
	default:
		return nil, ErrKind
	}
	if err != nil {
		return nil, err
	}
	if p.Color.Specified && !p.Color.isSupported() {
		return nil, ErrUnsupported
	}
	p.Width, p.Height = p.Canvas.X, p.Canvas.Y
	if err := p.cropToExtent(it.findProperty("ispe")); err != nil {
		return nil, err
	}
	if err := p.readChanges(it.properties); err != nil {
		return nil, err
	}
	// What is copied costs less than what is decoded.
	copies := int64(len(p.Changes))
	if p.Coded == nil {
		copies++
	}
	if r.remainingSamples -= copies * int64(p.Canvas.X) * int64(p.Canvas.Y) / 8; r.remainingSamples < 0 {
		return nil, ErrLarge
	}
	return p, r.addAlpha(p, it, depth)
}

func (r *pictureReader) addCoded(p *Picture, it *item) error {
	if it.coded == nil && it.err == nil {
		it.coded, it.err = r.readCoded(it)
	}
	if it.err != nil {
		return it.err
	}
	p.Coded = it.coded
	p.Canvas = image.Pt(p.Coded.Width, p.Coded.Height)
	p.CodedSamples = int64(p.Coded.Width) * int64(p.Coded.Height)
	if r.remainingSamples -= max(p.CodedSamples, minCodedSamples); r.remainingSamples < 0 {
		return ErrLarge
	}
	if !p.Color.Specified {
		p.Color = p.Coded.Color
	}
	if p.Color.Specified && p.Color.Matrix == MatrixRGB && p.Coded.SubX*p.Coded.SubY > 1 {
		return ErrUnsupported
	}
	return nil
}

func (r *pictureReader) addDerived(p *Picture, it *item, depth int) error {
	sources := it.references["dimg"]
	if len(sources) == 0 {
		return ErrDamaged
	}
	for _, id := range sources {
		part, err := r.readPicture(id, p.Color, depth+1)
		if err != nil {
			return err
		}
		p.Parts = append(p.Parts, Part{Picture: part})
		p.CodedSamples += part.CodedSamples
		if p.Profile == nil {
			p.Profile = part.Profile
		}
	}
	if it.kind == "iden" {
		p.Canvas = image.Pt(p.Parts[0].Width, p.Parts[0].Height)
		p.Parts = p.Parts[:1]
		return nil
	}
	pieces, err := r.dataPieces(it)
	if err != nil {
		return err
	}
	layout := fieldReader{rest: pieces[0]}
	if len(pieces) > 1 {
		layout.rest = slices.Concat(pieces...)
	}
	if layout.readNumber(1) != 0 {
		return ErrUnsupported
	}
	size := 2 + 2*int(layout.readNumber(1)&1)
	if it.kind == "grid" {
		return p.layOutGrid(&layout, size)
	}
	return p.layOutOverlay(&layout, size)
}

// layOutGrid lays the parts out in rows, all as large as the first.
func (p *Picture) layOutGrid(layout *fieldReader, size int) error {
	rows, columns := int(layout.readNumber(1))+1, int(layout.readNumber(1))+1
	if err := p.readCanvas(layout, size); err != nil {
		return err
	}
	w, h := p.Parts[0].Width, p.Parts[0].Height
	if len(p.Parts) != rows*columns || w*columns < p.Canvas.X || h*rows < p.Canvas.Y {
		return ErrDamaged
	}
	for i := range p.Parts {
		if p.Parts[i].Width != w || p.Parts[i].Height != h {
			return ErrDamaged
		}
		p.Parts[i].At = image.Pt(i%columns*w, i/columns*h)
	}
	return nil
}

// layOutOverlay lays the parts over each other, wherever the file says.
func (p *Picture) layOutOverlay(layout *fieldReader, size int) error {
	p.Blend = true
	for _, c := range []*uint16{&p.Fill.R, &p.Fill.G, &p.Fill.B, &p.Fill.A} {
		*c = uint16(layout.readNumber(2))
	}
	if err := p.readCanvas(layout, size); err != nil {
		return err
	}
	for i := range p.Parts {
		x, y := layout.readNumber(size), layout.readNumber(size)
		if size == 2 {
			p.Parts[i].At = image.Pt(int(int16(x)), int(int16(y)))
		} else {
			p.Parts[i].At = image.Pt(int(int32(x)), int(int32(y)))
		}
	}
	return layout.shortError()
}

// readCanvas reads the size of what the parts make.
func (p *Picture) readCanvas(layout *fieldReader, size int) error {
	w, h := layout.readNumber(size), layout.readNumber(size)
	switch {
	case layout.short || w == 0 || h == 0:
		return ErrDamaged
	case w > 1<<16 || h > 1<<16:
		return ErrLarge
	}
	p.Canvas = image.Pt(int(w), int(h))
	return nil
}

// alphaTypeNames are what an auxiliary picture calls itself that says how opaque the main one is.
var alphaTypeNames = []string{"urn:mpeg:hevc:2015:auxid:1", "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"}

func (r *pictureReader) addAlpha(p *Picture, it *item, depth int) error {
	if !it.alphaResolved {
		it.alphaResolved = true
		it.auxiliary = slices.DeleteFunc(it.auxiliary, func(id uint32) bool { return !r.items[id].isAlpha() })
	}
	if len(it.auxiliary) == 0 {
		return nil
	}
	from := it.auxiliary[0]
	// Its levels are as they are, whatever its bitstream says of them.
	alpha, err := r.readPicture(from, Color{Specified: true, Matrix: 2, FullRange: true}, depth+1)
	if err != nil {
		return err
	}
	p.Alpha, p.Premultiplied = alpha, slices.Contains(it.references["prem"], from)
	p.CodedSamples += alpha.CodedSamples
	return nil
}

func (it *item) isAlpha() bool {
	name := it.findProperty("auxC")
	if len(name) < 5 {
		return false
	}
	name = name[4:]
	if end := slices.Index(name, 0); end >= 0 {
		name = name[:end]
	}
	return slices.Contains(alphaTypeNames, string(name))
}
