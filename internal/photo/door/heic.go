package door

import "encoding/binary"

// nextBox takes the first box off b, as MPEG-4 files and HEIC are made of.
func nextBox(b []byte) (name string, data, rest []byte, err error) {
	if len(b) < 8 {
		return "", nil, nil, ErrShort
	}
	size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	switch size {
	case 0: // up to the end
		size = uint64(len(b))
	case 1:
		if len(b) < 16 {
			return "", nil, nil, ErrShort
		}
		size, head = binary.BigEndian.Uint64(b[8:]), 16
	}
	if size < head {
		return "", nil, nil, broken("a part of it has no length")
	}
	if size > uint64(len(b)) {
		return "", nil, nil, ErrShort
	}
	return boxName(b[4:]), b[head:size], b[size:], nil
}

var boxNames = []string{"ftyp", "meta", "pitm", "iinf", "infe", "iprp", "ipco", "ipma", "ispe", "irot", "colr", "mdat", "idat"}

func boxName(b []byte) string {
	for _, n := range boxNames {
		if string(b[:4]) == n {
			return n
		}
	}
	return ""
}

// full takes the version and flags off the boxes that have them.
func full(data []byte) (version byte, flags int, rest []byte) {
	if len(data) < 4 {
		return 0, 0, nil
	}
	return data[0], int(binary.BigEndian.Uint32(data) & 0xFFFFFF), data[4:]
}

// isHEIC reports whether the file says that it is an HEVC still. AVIF, its
// cousin, is not.
func isHEIC(src []byte) bool {
	_, brands, _, err := nextBox(src)
	if err != nil {
		return false
	}
	for i := 0; i+4 <= len(brands); i += 4 {
		if i == 4 {
			continue // a version
		}
		switch string(brands[i : i+4]) {
		case "heic", "heix", "heim", "heis":
			return true
		}
	}
	return false
}

// What a phone writes before the picture is 20 kB: a box for each of 100 tiles.
const mostHEICHead = 4 << 20

// heicHead is what we want from a HEIC's directory, all of it parts of the file.
type heicHead struct {
	primary    uint32
	kind       [4]byte // of the primary item
	properties []byte  // ipco's
	used       [1 << 15 / 8]byte
}

func openHEIC(src []byte, limits Limits) (Info, error) {
	info := Info{Orientation: 1, Frames: 1}
	var head heicHead
	if err := head.read(src); err != nil {
		return info, err
	}
	if k := string(head.kind[:]); k != "hvc1" && k != "grid" && k != "iden" {
		return info, ErrKind
	}
	turned := false
	err := head.each(func(name string, data []byte, used bool) {
		switch {
		case name == "ispe":
			if _, _, d := full(data); used && len(d) >= 8 {
				info.Width, info.Height = int(binary.BigEndian.Uint32(d)), int(binary.BigEndian.Uint32(d[4:]))
			}
		case name == "irot" && used && len(data) > 0:
			turned = data[0]&1 == 1
		case name == "colr" && used && len(data) >= 11 && string(data[:4]) == "nclx":
			info.VideoRange = data[10]&0x80 == 0
		}
	})
	if err != nil {
		return info, err
	}
	if turned {
		info.Width, info.Height = info.Height, info.Width
	}
	if int64(info.Width) > 1<<24 || int64(info.Height) > 1<<24 {
		return info, ErrPixels
	}
	info.Decoded = 12 * int64(info.Width) * int64(info.Height) // libheif takes 7 a pixel, 12 for HDR
	return info, nil
}

// read finds the primary item and its properties.
func (h *heicHead) read(src []byte) error {
	var meta []byte
	coded := false
	for rest := src; len(rest) > 0; {
		name, data, after, err := nextBox(rest)
		if err != nil {
			return err
		}
		if name == "meta" && meta == nil {
			_, _, meta = full(data)
		}
		coded = coded || name == "mdat"
		rest = after
	}
	if meta == nil {
		return broken("it has no directory")
	}
	if len(meta) > mostHEICHead {
		return ErrHidden
	}
	var items, links []byte
	for len(meta) > 0 {
		name, data, rest, err := nextBox(meta)
		if err != nil {
			return err
		}
		meta = rest
		switch name {
		case "idat":
			coded = true
		case "pitm":
			v, _, d := full(data)
			if v == 0 && len(d) >= 2 {
				h.primary = uint32(binary.BigEndian.Uint16(d))
			} else if len(d) >= 4 {
				h.primary = binary.BigEndian.Uint32(d)
			}
		case "iinf":
			v, _, d := full(data)
			if skip := 2 + 2*int(min(v, 1)); len(d) >= skip {
				items = d[skip:]
			}
		case "iprp":
			for len(data) > 0 {
				name, d, rest, err := nextBox(data)
				if err != nil {
					return err
				}
				data = rest
				switch name {
				case "ipco":
					h.properties = d
				case "ipma":
					links = d
				}
			}
		}
	}
	if !coded {
		return ErrShort
	}
	for len(items) > 0 {
		name, data, rest, err := nextBox(items)
		if err != nil {
			return err
		}
		items = rest
		v, _, d := full(data)
		if name != "infe" || v < 2 || len(d) < 6+2*int(min(v, 3)-1) {
			continue
		}
		id := uint32(binary.BigEndian.Uint16(d))
		if v > 2 {
			id, d = binary.BigEndian.Uint32(d), d[2:]
		}
		if id == h.primary {
			h.kind = [4]byte(d[4:])
		}
	}
	return h.link(links)
}

// link notes which properties the primary item has.
func (h *heicHead) link(data []byte) error {
	v, flags, d := full(data)
	idSize, linkSize := 2+2*int(min(v, 1)), 1+flags&1
	if len(d) < 4 {
		return broken("its directory is incomplete")
	}
	count := binary.BigEndian.Uint32(d)
	d = d[4:]
	for range count {
		if len(d) < idSize+1 {
			return broken("its directory is incomplete")
		}
		id := uint32(binary.BigEndian.Uint16(d))
		if idSize == 4 {
			id = binary.BigEndian.Uint32(d)
		}
		n := int(d[idSize])
		d = d[idSize+1:]
		if len(d) < n*linkSize {
			return broken("its directory is incomplete")
		}
		for i := 0; id == h.primary && i < n; i++ {
			index := int(d[i] & 0x7F)
			if linkSize == 2 {
				index = int(binary.BigEndian.Uint16(d[2*i:]) & 0x7FFF)
			}
			h.used[index/8] |= 1 << (index % 8)
		}
		d = d[n*linkSize:]
	}
	return nil
}

// each calls fn for all properties; used says that the primary item has it.
func (h *heicHead) each(fn func(name string, data []byte, used bool)) error {
	rest := h.properties
	for i := 1; len(rest) > 0; i++ {
		name, data, after, err := nextBox(rest)
		if err != nil {
			return err
		}
		rest = after
		fn(name, data, i < 1<<15 && h.used[i/8]>>(i%8)&1 == 1)
	}
	return nil
}

func profileHEIC(src []byte) (profile []byte) {
	var head heicHead
	if head.read(src) != nil {
		return nil
	}
	head.each(func(name string, data []byte, used bool) {
		if name == "colr" && used && len(data) > 4 && (string(data[:4]) == "prof" || string(data[:4]) == "rICC") && profile == nil {
			profile = data[4:]
		}
	})
	return profile
}
