package heif

import "slices"

// Sequence is what the parameter set of a coded picture says of its samples.
type Sequence struct {
	Width, Height int
	// SubX and SubY say how many samples of brightness share one of colour; 0 and 0 when there are no colours.
	SubX, SubY int
	Depth      int // bits of a sample
	Color      Color
}

// Gray reports whether the picture has no colours.
func (s Sequence) Gray() bool { return s.SubX == 0 }

// chromaFormats are HEVC's, by its number.
var chromaFormats = [4][2]int{{0, 0}, {2, 2}, {2, 1}, {1, 1}}

// readSequence reads a NAL unit with a sequence parameter set (ITU-T H.265, 7.3.2.2) up to what it says of
// colours, in its appendix E.2.1.
func readSequence(unit []byte) (s Sequence, err error) {
	if len(unit) < 2 {
		return s, ErrDamaged
	}
	b := newBits(unit[2:])
	b.read(4)
	layers := int(b.read(3))
	b.read(1)
	if err := readProfile(b, layers); err != nil {
		return s, err
	}
	b.golomb()
	format := b.golomb()
	if format > 3 {
		return s, ErrDamaged
	}
	if format == 3 && b.flag() {
		return s, ErrUnsupported // three pictures, one a colour
	}
	s.SubX, s.SubY = chromaFormats[format][0], chromaFormats[format][1]
	width, height := int64(b.golomb()), int64(b.golomb())
	if b.flag() {
		x, y := int64(max(s.SubX, 1)), int64(max(s.SubY, 1))
		width -= x * (int64(b.golomb()) + int64(b.golomb()))
		height -= y * (int64(b.golomb()) + int64(b.golomb()))
	}
	if b.short || width <= 0 || height <= 0 {
		return s, ErrDamaged
	}
	if width > 1<<15 || height > 1<<15 {
		return s, ErrLarge
	}
	s.Width, s.Height = int(width), int(height)
	depth, colorDepth := b.golomb(), b.golomb()
	if depth > 8 || colorDepth != depth && !s.Gray() {
		return s, ErrUnsupported
	}
	s.Depth = 8 + int(depth)
	s.Color, err = readColor(b, layers)
	return s, err
}

// readProfile reads past profile_tier_level. What libde265 has never learned is refused.
func readProfile(b *bits, layers int) error {
	b.read(3)
	if profile := b.read(5); profile > 4 { // main, main 10, still, range extensions
		return ErrUnsupported
	}
	b.skip(88)
	var profiles, levels [8]bool
	for i := range layers {
		profiles[i], levels[i] = b.flag(), b.flag()
	}
	if layers > 0 {
		b.skip(2 * (8 - layers))
	}
	for i := range layers {
		if profiles[i] {
			b.skip(88)
		}
		if levels[i] {
			b.skip(8)
		}
	}
	return nil
}

// readColor reads on from the bit depths to the colours of the picture, if they are told.
func readColor(b *bits, layers int) (Color, error) {
	orderBits := int(b.golomb()) + 4
	if orderBits > 16 {
		return Color{}, ErrDamaged
	}
	from := layers
	if b.flag() {
		from = 0
	}
	for range layers - from + 1 {
		b.golomb()
		b.golomb()
		b.golomb()
	}
	for range 6 { // sizes of blocks
		b.golomb()
	}
	if lists := b.flag(); lists {
		if own := b.flag(); own {
			skipScalingLists(b)
		}
	}
	b.read(2)
	if b.flag() { // samples without coding
		b.read(8)
		b.golomb()
		b.golomb()
		b.read(1)
	}
	if err := skipReferenceSets(b); err != nil {
		return Color{}, err
	}
	if b.flag() {
		for range min(b.golomb(), 33) {
			b.read(orderBits + 1)
		}
	}
	b.read(2)
	if !b.flag() { // no word on how to show it
		return Color{}, shortened(b)
	}
	if b.flag() && b.read(8) == 255 {
		b.skip(32)
	}
	if b.flag() {
		b.read(1)
	}
	c := Color{}
	if b.flag() {
		b.read(3)
		c = Color{Told: true, Primaries: 2, Transfer: 2, Matrix: 2, FullRange: b.flag()}
		if b.flag() {
			c.Primaries, c.Transfer, c.Matrix = int(b.read(8)), int(b.read(8)), int(b.read(8))
		}
	}
	return c, shortened(b)
}

func shortened(b *bits) error {
	if b.short {
		return ErrDamaged
	}
	return nil
}

func skipScalingLists(b *bits) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !b.flag() { // like another
				b.golomb()
				continue
			}
			if size > 1 {
				b.golomb()
			}
			for range min(64, 16<<(2*size)) {
				b.golomb()
			}
		}
	}
}

// skipReferenceSets reads past what a film says of the pictures that one is made from (7.3.7 and 7.4.8). How much
// there is to read of a set depends on the one before it.
func skipReferenceSets(b *bits) error {
	sets := int(b.golomb())
	if sets > 64 {
		return ErrDamaged
	}
	var before []int // how far away the pictures of the last set are
	for i := range sets {
		var set []int
		if i > 0 && b.flag() {
			set = shiftedSet(b, before)
		} else if past, future := b.golomb(), b.golomb(); past > 16 || future > 16 {
			return ErrDamaged
		} else {
			set = listedSet(b, set, int(past), -1)
			set = listedSet(b, set, int(future), 1)
		}
		if len(set) > 32 || b.short {
			return ErrDamaged
		}
		before = set
	}
	return nil
}

func listedSet(b *bits, set []int, count, direction int) []int {
	at := 0
	for range count {
		at += direction * int(b.golomb()+1)
		b.read(1)
		set = append(set, at)
	}
	return set
}

// shiftedSet reads a set that is told by its difference to the one before.
func shiftedSet(b *bits, before []int) []int {
	sign := 1 - 2*int(b.read(1))
	shift := sign * int(b.golomb()+1)
	var past, future []int
	for i := range len(before) + 1 {
		at := shift
		if i < len(before) {
			at += before[i]
		}
		used := b.flag()
		if !used {
			used = b.flag() // later
		}
		if !used {
			continue
		}
		switch {
		case at < 0:
			past = append(past, at)
		case at > 0:
			future = append(future, at)
		}
	}
	slices.Sort(future)
	slices.SortFunc(past, func(a, b int) int { return b - a })
	return append(past, future...)
}
