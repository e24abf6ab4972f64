package heif

// Coded is a picture as HEVC codes it.
type Coded struct {
	Sequence
	// Units are the NAL units that the picture needs, parameter sets first.
	Units [][]byte
}

// ByteCount returns how many bytes the units have together.
func (c *Coded) ByteCount() (n int) {
	for _, unit := range c.Units {
		n += len(unit)
	}
	return n
}

const (
	maxUnits = 1 << 17
	// maxParameterBytes is how many bytes of parameter sets are read for a file at most. A phone's has 100 for each
	// tile, but many items may share the same large ones.
	maxParameterBytes = 4 << 20
)

// Types of NAL units.
const (
	unitFirstKey, unitLastKey    = 16, 21 // pictures that need no other picture
	unitSlices                   = 32     // types below are slices, parts of pictures
	unitSequence, unitParameters = 33, 34
)

// readCoded reads the parameter sets of a coded item, from its configuration and from among its slices, and finds the
// slices of its first picture.
func (f *fileDirectory) readCoded(it *item) (*Coded, error) {
	config := fieldReader{rest: it.findProperty("hvcC")}
	config.takeBytes(21)
	lengthSize := int(config.readNumber(1)&3) + 1
	c := &Coded{}
	for range config.readNumber(1) {
		config.readNumber(1)
		for range config.readNumber(2) {
			if err := f.addParameterSet(c, config.takeBytes(int(config.readNumber(2)))); err != nil {
				return nil, err
			}
			if err := f.countUnit(); err != nil {
				return nil, err
			}
		}
	}
	if config.short {
		return nil, ErrDamaged
	}
	pieces, err := f.dataPieces(it)
	if err != nil {
		return nil, err
	}
	stream := fieldReader{rest: pieces[0]}
	if len(pieces) > 1 {
		stream.rest = nil
		for _, piece := range pieces {
			stream.rest = append(stream.rest, piece...)
		}
	}
	var slices [][]byte
	for len(stream.rest) > 0 {
		unit := stream.takeBytes(int(stream.readNumber(lengthSize)))
		if stream.short {
			return nil, ErrDamaged
		}
		if err := f.countUnit(); err != nil {
			return nil, err
		}
		switch {
		case len(unit) < 3 || unitLayer(unit) > 0:
		case unitType(unit) >= unitSlices:
			err = f.addParameterSet(c, unit)
		case unit[2]&0x80 != 0 && len(slices) > 0: // the next picture begins
			stream.rest = nil
		default:
			slices = append(slices, unit)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(slices) == 0 || c.Width == 0 {
		return nil, ErrDamaged
	}
	if t := unitType(slices[0]); t < unitFirstKey || t > unitLastKey {
		return nil, ErrUnsupported // predicted from a picture that is not in the item
	}
	c.Units = append(c.Units, slices...)
	return c, nil
}

// addParameterSet adds unit to c if it is a parameter set. All sequence parameter sets of a picture must say the
// same.
func (f *fileDirectory) addParameterSet(c *Coded, unit []byte) error {
	if len(unit) < 3 || unitLayer(unit) > 0 || unitType(unit) < unitSlices || unitType(unit) > unitParameters {
		return nil
	}
	if f.parameterBytes += len(unit); f.parameterBytes > maxParameterBytes {
		return ErrDirectory
	}
	if unitType(unit) == unitSequence {
		s, err := readSequence(unit)
		if err != nil {
			return err
		}
		if c.Width != 0 && s != c.Sequence {
			return ErrUnsupported
		}
		c.Sequence = s
	}
	c.Units = append(c.Units, unit)
	return nil
}

// countUnit counts the units of a file that are looked at, and returns ErrDirectory for too many.
func (f *fileDirectory) countUnit() error {
	if f.units++; f.units > maxUnits {
		return ErrDirectory
	}
	return nil
}

func unitType(unit []byte) int { return int(unit[0] >> 1 & 0x3F) }

func unitLayer(unit []byte) int { return int(unit[0]&1)<<5 | int(unit[1]>>3) }
