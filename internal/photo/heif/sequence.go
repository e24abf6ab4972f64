package heif

import "slices"

// Sequence is what the sequence parameter set of a coded picture says about its samples.
type Sequence struct {
	Width, Height int
	// SubX and SubY say how many samples of brightness share one of colour; both are 0 if there are no colours.
	SubX, SubY int
	Depth      int // bits of a sample
	Color      Color
}

// IsGray reports whether the picture has no colours.
func (s Sequence) IsGray() bool { return s.SubX == 0 }

// chromaFormats holds SubX and SubY by HEVC's number of the format.
var chromaFormats = [4][2]int{{0, 0}, {2, 2}, {2, 1}, {1, 1}}

// readSequence reads a NAL unit with a sequence parameter set (ITU-T H.265, 7.3.2.2) as far as its description of
// colours, which is in appendix E.2.1.
func readSequence(unit []byte) (s Sequence, err error) {
	if len(unit) < 2 {
		return s, ErrDamaged
	}
	b := newBitReader(unit[2:])
	b.readBits(4)
	layers := int(b.readBits(3))
	b.readBits(1)
	if err := readProfile(b, layers); err != nil {
		return s, err
	}
	b.readGolomb()
	format := b.readGolomb()
	if format > 3 {
		return s, ErrDamaged
	}
	if format == 3 && b.readFlag() {
		return s, ErrUnsupported // three pictures, one for each colour
	}
	s.SubX, s.SubY = chromaFormats[format][0], chromaFormats[format][1]
	width, height := int64(b.readGolomb()), int64(b.readGolomb())
	if b.readFlag() {
		x, y := int64(max(s.SubX, 1)), int64(max(s.SubY, 1))
		width -= x * (int64(b.readGolomb()) + int64(b.readGolomb()))
		height -= y * (int64(b.readGolomb()) + int64(b.readGolomb()))
	}
	if b.short || width <= 0 || height <= 0 {
		return s, ErrDamaged
	}
	if width > 1<<15 || height > 1<<15 {
		return s, ErrLarge
	}
	s.Width, s.Height = int(width), int(height)
	depth, colorDepth := b.readGolomb(), b.readGolomb()
	if depth > 8 || colorDepth != depth && !s.IsGray() {
		return s, ErrUnsupported
	}
	s.Depth = 8 + int(depth)
	s.Color, err = readColor(b, layers)
	return s, err
}

// readProfile reads past profile_tier_level. It returns ErrUnsupported for profiles that libde265 does not decode.
func readProfile(b *bitReader, layers int) error {
	b.readBits(3)
	if profile := b.readBits(5); profile > 4 { // main, main 10, still, range extensions
		return ErrUnsupported
	}
	b.skipBits(88)
	var profiles, levels [8]bool
	for i := range layers {
		profiles[i], levels[i] = b.readFlag(), b.readFlag()
	}
	if layers > 0 {
		b.skipBits(2 * (8 - layers))
	}
	for i := range layers {
		if profiles[i] {
			b.skipBits(88)
		}
		if levels[i] {
			b.skipBits(8)
		}
	}
	return nil
}

// readColor reads on after the bit depths. It returns the colours of the picture, or a zero Color if they are not
// given.
func readColor(b *bitReader, layers int) (Color, error) {
	orderBits := int(b.readGolomb()) + 4
	if orderBits > 16 {
		return Color{}, ErrDamaged
	}
	from := layers
	if b.readFlag() {
		from = 0
	}
	for range layers - from + 1 {
		b.readGolomb()
		b.readGolomb()
		b.readGolomb()
	}
	for range 6 { // sizes of blocks
		b.readGolomb()
	}
	if lists := b.readFlag(); lists {
		if own := b.readFlag(); own {
			skipScalingLists(b)
		}
	}
	b.readBits(2)
	if b.readFlag() { // samples without coding
		b.readBits(8)
		b.readGolomb()
		b.readGolomb()
		b.readBits(1)
	}
	if err := skipReferenceSets(b); err != nil {
		return Color{}, err
	}
	if b.readFlag() {
		for range min(b.readGolomb(), 33) {
			b.readBits(orderBits + 1)
		}
	}
	b.readBits(2)
	if !b.readFlag() { // nothing says how to show it
		return Color{}, shortError(b)
	}
	if b.readFlag() && b.readBits(8) == 255 {
		b.skipBits(32)
	}
	if b.readFlag() {
		b.readBits(1)
	}
	c := Color{}
	if b.readFlag() {
		b.readBits(3)
		c = Color{Specified: true, Primaries: 2, Transfer: 2, Matrix: 2, FullRange: b.readFlag()}
		if b.readFlag() {
			c.Primaries, c.Transfer, c.Matrix = int(b.readBits(8)), int(b.readBits(8)), int(b.readBits(8))
		}
	}
	return c, shortError(b)
}

func shortError(b *bitReader) error {
	if b.short {
		return ErrDamaged
	}
	return nil
}

func skipScalingLists(b *bitReader) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !b.readFlag() { // like another
				b.readGolomb()
				continue
			}
			if size > 1 {
				b.readGolomb()
			}
			for range min(64, 16<<(2*size)) {
				b.readGolomb()
			}
		}
	}
}

// skipReferenceSets reads past the lists of reference pictures that a film has (7.3.7 and 7.4.8). How long a list is
// depends on the one before it.
func skipReferenceSets(b *bitReader) error {
	sets := int(b.readGolomb())
	if sets > 64 {
		return ErrDamaged
	}
	var before []int // the distances of the pictures of the previous set
	for i := range sets {
		var set []int
		if i > 0 && b.readFlag() {
			set = readShiftedSet(b, before)
		} else if past, future := b.readGolomb(), b.readGolomb(); past > 16 || future > 16 {
			return ErrDamaged
		} else {
			set = readListedSet(b, set, int(past), -1)
			set = readListedSet(b, set, int(future), 1)
		}
		if len(set) > 32 || b.short {
			return ErrDamaged
		}
		before = set
	}
	return nil
}

func readListedSet(b *bitReader, set []int, count, direction int) []int {
	at := 0
	for range count {
		at += direction * int(b.readGolomb()+1)
		b.readBits(1)
		set = append(set, at)
	}
	return set
}

// readShiftedSet reads a set that is given as its difference from the one before.
func readShiftedSet(b *bitReader, before []int) []int {
	sign := 1 - 2*int(b.readBits(1))
	shift := sign * int(b.readGolomb()+1)
	var past, future []int
	for i := range len(before) + 1 {
		at := shift
		if i < len(before) {
			at += before[i]
		}
		used := b.readFlag()
		if !used {
			used = b.readFlag() // later
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
