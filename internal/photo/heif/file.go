package heif

// The limits of a directory. A phone's is 20 kB: a box for each of 100 tiles.
const (
	maxDirectory = 4 << 20
	maxItems     = 8192
	maxBoxes     = 1024    // at the top level, where a photo has three
	maxLinks     = 1 << 16 // from items to each other, to properties and to their data
	// maxProperties is how many properties one list of an item can have.
	maxProperties = 255
)

// fileDirectory is the directory of a HEIF file.
type fileDirectory struct {
	source         []byte
	itemData       []byte // the content of idat: data that lies in the directory
	primary        uint32
	items          map[uint32]*item
	properties     []box
	links          int
	units          int    // units of coded pictures that were looked at so far
	parameterBytes int    // bytes of their parameter sets
	bytesRead      uint64 // bytes of items, so far
}

// item is one entry of the directory: a coded picture, a derived one, or something else.
type item struct {
	kind          string
	properties    []box // in the order in which they apply
	references    map[string][]uint32
	auxiliary     []uint32 // the items that are auxiliary to this one; once alphaResolved, only those with its alpha
	alphaResolved bool
	extents       []extent
	inDirectory   bool // extents lie in the directory
	external      bool // extents lie in another file or another item, which is not read
	coded         *Coded
	err           error // of reading coded
}

type extent struct{ offset, length uint64 }

// IsHEIF reports whether src begins as a file that has HEVC stills, or may have them. It is false for AVIF, which has
// the same boxes.
func IsHEIF(src []byte) bool {
	first, _, err := nextBox(src)
	if err != nil || first.name != "ftyp" {
		return false
	}
	found := false
	for i := 0; i+4 <= len(first.data); i += 4 {
		if i == 4 {
			continue // a version
		}
		switch string(first.data[i : i+4]) {
		case "heic", "heix", "heim", "heis", "hevc", "hevx":
			return true
		case "mif1", "mif2", "msf1":
			found = true
		case "avif", "avis":
			return false
		}
	}
	return found
}

// readDirectory reads the directory of src. It does not read the items' data.
func readDirectory(src []byte) (*fileDirectory, error) {
	f := &fileDirectory{source: src, items: map[uint32]*item{}}
	var meta []byte
	sequence, boxes := false, 0
	err := forEachBox(src, func(b box) error {
		if boxes++; boxes > maxBoxes {
			return ErrDirectory
		}
		if b.name == "meta" && meta == nil {
			if len(b.data) < 4 {
				return ErrDamaged
			}
			meta = b.data[4:]
		}
		sequence = sequence || b.name == "moov"
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch {
	case meta == nil && sequence:
		return nil, ErrUnsupported // a film without a still
	case meta == nil:
		return nil, ErrDamaged
	case len(meta) > maxDirectory:
		return nil, ErrDirectory
	}
	err = forEachBox(meta, func(b box) error {
		if b.name == "iinf" {
			return f.readItems(b.data)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, forEachBox(meta, f.readItemBox)
}

// readItemBox reads a box about items. The items must have been read before.
func (f *fileDirectory) readItemBox(b box) error {
	switch b.name {
	case "idat":
		f.itemData = b.data
	case "pitm":
		data := fieldReader{rest: b.data}
		v, _ := data.readVersion()
		f.primary = uint32(data.readNumber(2 + 2*min(v, 1)))
		return data.shortError()
	case "iloc":
		return f.readLocations(b.data)
	case "iref":
		return f.readReferences(b.data)
	case "iprp":
		return f.readProperties(b.data)
	}
	return nil
}

func (f *fileDirectory) readItems(data []byte) error {
	list := fieldReader{rest: data}
	v, _ := list.readVersion()
	list.readNumber(2 + 2*min(v, 1)) // how many; the boxes show it too
	if list.short {
		return ErrDamaged
	}
	return forEachBox(list.rest, func(b box) error {
		entry := fieldReader{rest: b.data}
		v, _ := entry.readVersion()
		if b.name != "infe" || v < 2 {
			return nil
		}
		id := uint32(entry.readNumber(2 * (min(v, 3) - 1)))
		entry.readNumber(2) // protection
		kind := string(entry.takeBytes(4))
		if len(f.items) == maxItems {
			return ErrDirectory
		}
		f.items[id] = &item{kind: kind, references: map[string][]uint32{}}
		return entry.shortError()
	})
}

func (f *fileDirectory) readLocations(data []byte) error {
	list := fieldReader{rest: data}
	v, _ := list.readVersion()
	sizes := list.readNumber(2)
	offsetSize, lengthSize, baseSize, indexSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if v == 0 {
		indexSize = 0
	}
	if offsetSize > 8 || lengthSize > 8 || baseSize > 8 || indexSize > 8 {
		return ErrDamaged
	}
	idSize := 2
	if v == 2 {
		idSize = 4
	}
	total := 0
	for range list.readNumber(idSize) {
		id, where := uint32(list.readNumber(idSize)), uint64(0)
		if v > 0 {
			where = list.readNumber(2) & 15
		}
		elsewhere := list.readNumber(2) != 0 || where > 1 // another file, or another item
		base := list.readNumber(baseSize)
		it := f.items[id]
		for range list.readNumber(2) {
			list.readNumber(indexSize)
			e := extent{base + list.readNumber(offsetSize), list.readNumber(lengthSize)}
			if list.short {
				return ErrDamaged
			}
			if total++; total > maxLinks {
				return ErrDirectory
			}
			if it != nil {
				it.extents, it.inDirectory, it.external = append(it.extents, e), where == 1, elsewhere
			}
		}
		if list.short {
			return ErrDamaged
		}
	}
	return nil
}

func (f *fileDirectory) readReferences(data []byte) error {
	list := fieldReader{rest: data}
	v, _ := list.readVersion()
	idSize := 2 + 2*min(v, 1)
	return forEachBox(list.rest, func(b box) error {
		entry := fieldReader{rest: b.data}
		from := uint32(entry.readNumber(idSize))
		count := int(entry.readNumber(2))
		if len(entry.rest) < count*idSize {
			return ErrDamaged
		}
		it := f.items[from]
		if it == nil {
			return nil
		}
		if f.links += count; f.links > maxLinks {
			return ErrDirectory
		}
		for range count {
			to := uint32(entry.readNumber(idSize))
			it.references[b.name] = append(it.references[b.name], to)
			if main := f.items[to]; main != nil && b.name == "auxl" {
				main.auxiliary = append(main.auxiliary, from)
			}
		}
		return nil
	})
}

func (f *fileDirectory) readProperties(data []byte) error {
	var links []box
	err := forEachBox(data, func(b box) error {
		switch b.name {
		case "ipco":
			return forEachBox(b.data, func(p box) error {
				if len(f.properties) == maxItems {
					return ErrDirectory
				}
				f.properties = append(f.properties, p)
				return nil
			})
		case "ipma":
			links = append(links, b)
		}
		return nil
	})
	for _, b := range links {
		if err != nil {
			break
		}
		err = f.linkProperties(b.data)
	}
	return err
}

// linkProperties reads an ipma box and gives the items their properties.
func (f *fileDirectory) linkProperties(data []byte) error {
	list := fieldReader{rest: data}
	v, flags := list.readVersion()
	for range list.readNumber(4) {
		it := f.items[uint32(list.readNumber(2+2*min(v, 1)))]
		for range list.readNumber(1) {
			index := int(list.readNumber(1) & 0x7F)
			if flags&1 == 1 {
				index = index<<8 | int(list.readNumber(1))
			}
			if f.links++; f.links > maxLinks {
				return ErrDirectory
			}
			if it != nil && index > 0 && index <= len(f.properties) {
				if len(it.properties) == maxProperties {
					return ErrDirectory
				}
				it.properties = append(it.properties, f.properties[index-1])
			}
		}
		if list.short {
			return ErrDamaged
		}
	}
	return nil
}

// findProperty returns the data of the first property with a name, or nil.
func (it *item) findProperty(name string) []byte {
	for _, p := range it.properties {
		if p.name == name {
			return p.data
		}
	}
	return nil
}

// dataPieces returns the pieces of the file that an item's data consists of. An extent of length 0 reaches to the
// end. Items whose data is together more than twice the file share data, which could be work without end: ErrDamaged.
func (f *fileDirectory) dataPieces(it *item) ([][]byte, error) {
	if it.external {
		return nil, ErrUnsupported
	}
	from := f.source
	if it.inDirectory {
		from = f.itemData
	}
	pieces := make([][]byte, 0, len(it.extents))
	total := uint64(0)
	for _, e := range it.extents {
		if e.offset > uint64(len(from)) || e.length > uint64(len(from))-e.offset {
			return nil, ErrShort
		}
		if e.length == 0 {
			e.length = uint64(len(from)) - e.offset
		}
		total += e.length
		if f.bytesRead += e.length; f.bytesRead > 2*uint64(len(f.source)) {
			return nil, ErrDamaged
		}
		pieces = append(pieces, from[e.offset:e.offset+e.length])
	}
	if total == 0 && it.kind != "iden" {
		return nil, ErrShort
	}
	return pieces, nil
}
