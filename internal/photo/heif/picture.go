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
	// Coded is the picture itself, or nil: then Parts lie at their places on a canvas.
	Coded  *Coded
	Parts  []Part
	Canvas image.Point
	Fill   color.NRGBA64 // the colour of the canvas where no part lies
	Blend  bool          // parts lie over each other, else side by side
	// Changes are made in order once the picture is put together.
	Changes []Change
	// Alpha is as large as the picture, or must be resized to it; nil if the picture is opaque.
	Alpha *Picture
	// Premultiplied means that the samples have been multiplied with Alpha.
	Premultiplied bool
	// Color is Specified if the file says it for this item; for a coded picture also if the file says it for an item
	// that this one is part of, or its own parameter set says it.
	Color Color
	// Profile is the ICC profile of this item, else that of the first part that has one, else nil.
	Profile []byte
	// CodedSamples is how many samples of brightness are decoded for it, including parts and alpha.
	CodedSamples int64
}

// Part is a picture that another one is put together from.
type Part struct {
	*Picture
	At image.Point
}

// Change crops a picture if Crop is not empty, else turns it as EXIF's Orientation says.
type Change struct {
	Crop        image.Rectangle
	Orientation int
}

// IsGray reports whether the picture has no colours.
func (p *Picture) IsGray() bool {
	if p.Coded != nil {
		return p.Coded.IsGray()
	}
	return !p.Blend && !slices.ContainsFunc(p.Parts, func(part Part) bool { return !part.IsGray() })
}

const (
	maxDepth    = 8
	maxPictures = 8192
	// minCodedSamples is how many samples a coded picture counts as at least: a decoder has to be started for it.
	minCodedSamples = 128 * 128
)

// ReadPrimary returns the primary picture of src. It returns ErrLarge if more than maxCoding samples would have to be
// decoded for it.
func ReadPrimary(src []byte, maxCoding int64) (*Picture, error) {
	f, err := readDirectory(src)
	if err != nil {
		return nil, err
	}
	r := pictureReader{fileDirectory: f, remainingSamples: maxCoding}
	return r.readPicture(f.primary, Color{}, 0)
}

// pictureReader builds the pictures of a file, within limits.
type pictureReader struct {
	*fileDirectory
	remainingSamples int64 // samples that may still be decoded; copying eight counts as decoding one
	pictureCount     int
}

// readPicture builds the picture of an item. inherited is the colour of the item that it is part of; it applies where
// this item does not specify its own.
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
	// Copying costs less than decoding.
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

// layOutGrid places the parts in rows. All parts must be as large as the first, else it returns ErrDamaged.
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

// layOutOverlay places the parts where the file says; they may lie over each other.
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

// readCanvas reads the size of the picture that the parts make.
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

// alphaTypeNames are the types of an auxiliary picture that is the main one's alpha.
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
	// Its samples are taken as full range, whatever its bitstream says.
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
