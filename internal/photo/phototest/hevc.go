package phototest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"doubletap/internal/photo/heif"
)

// CodedItem returns the first coded picture of a HEIC as an item of its own. change, if there is one, may change each
// sequence parameter set.
func CodedItem(src []byte, change func(*Bits)) HEIFItem {
	p, err := heif.Open(src, 1e9)
	if err != nil {
		panic(err)
	}
	for p.Coded == nil {
		p = p.Parts[0].Picture
	}
	var sets [3]string
	data, counts := "", [3]int{}
	w, h := p.Coded.Width, p.Coded.Height
	for _, unit := range p.Coded.Units {
		kind := int(unit[0] >> 1 & 0x3F)
		if kind == 33 && change != nil {
			b := newSet(unit)
			change(b)
			unit, w, h = b.unit(), b.w, b.h
		}
		if i := kind - 32; i >= 0 && i < 3 {
			sets[i] += u16(len(unit)) + string(unit)
			counts[i]++
		} else {
			data += u32(len(unit)) + string(unit)
		}
	}
	format := map[[2]int]byte{{0, 0}: 0, {2, 2}: 1, {2, 1}: 2, {1, 1}: 3}[[2]int{p.Coded.SubX, p.Coded.SubY}]
	depth := byte(p.Coded.Depth - 8)
	config := string([]byte{0: 1, 1: 3, 13: 0xF0, 15: 0xFC, 16: 0xFC | format, 17: 0xF8 | depth, 18: 0xF8 | depth, 21: 0x0F, 22: 3})
	for i, all := range sets {
		config += string([]byte{0x80 | byte(32+i)}) + u16(counts[i]) + all
	}
	channels := "\x03" + string(bytes.Repeat([]byte{8 + depth}, 3))
	if format == 0 {
		channels = "\x01" + string([]byte{8 + depth})
	}
	return HEIFItem{Kind: "hvc1", Data: data, Properties: []string{Box("hvcC", config), Extent(w, h), FullBox("pixi", channels)}}
}

// Bits is a sequence parameter set bit by bit, as x265 writes it.
type Bits struct {
	head []byte // of the unit
	all  []byte // each a bit
	w, h int
}

func newSet(unit []byte) *Bits {
	b := &Bits{head: unit[:2]}
	for _, c := range bytes.ReplaceAll(unit[2:], []byte{0, 0, 3}, []byte{0, 0}) {
		for i := range 8 {
			b.all = append(b.all, c>>(7-i)&1)
		}
	}
	// Behind the profile, 4 + 3 + 1 + 96 bits: the number of the set, the format of colours, the size, the window.
	_, at := b.golomb(104)
	_, at = b.golomb(at)
	if format, _ := b.golomb(105); format == 3 {
		at++
	}
	b.w, at = b.golomb(at)
	b.h, _ = b.golomb(at)
	return b
}

// golomb returns the number at a place, and the place behind it.
func (b *Bits) golomb(at int) (n, next int) {
	zeros := bytes.IndexByte(b.all[at:], 1)
	for _, bit := range b.all[at+zeros : at+2*zeros+1] {
		n = n<<1 | int(bit)
	}
	return n - 1, at + 2*zeros + 1
}

func (b *Bits) unit() []byte {
	var raw []byte
	all := b.all
	for ; len(all) >= 8; all = all[8:] {
		var c byte
		for _, bit := range all[:8] {
			c = c<<1 | bit
		}
		raw = append(raw, c)
	}
	out := bytes.Clone(b.head)
	zeros := 0
	for _, c := range raw {
		if zeros == 2 && c <= 3 {
			out, zeros = append(out, 3), 0
		}
		zeros++
		if c != 0 {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// Window makes w x h from the left and the top what the picture shows.
func (b *Bits) Window(w, h int) {
	format, at := b.golomb(105)
	if format == 3 {
		at++
	}
	codedW, at := b.golomb(at)
	codedH, at := b.golomb(at)
	end := at + 1
	if b.all[at] == 1 {
		for range 4 {
			_, end = b.golomb(end)
		}
	}
	unit := [4][2]int{{1, 1}, {2, 2}, {2, 1}, {1, 1}}[format]
	window := []byte{1}
	for _, n := range []int{0, (codedW - w) / unit[0], 0, (codedH - h) / unit[1]} {
		length := bits.Len(uint(n + 1))
		window = append(window, make([]byte, length-1)...)
		for i := length - 1; i >= 0; i-- {
			window = append(window, byte((n+1)>>i&1))
		}
	}
	// The bits behind are padded to a whole byte: a one and zeros.
	rest := b.all[end:]
	rest = rest[:bytes.LastIndexByte(rest, 1)+1]
	b.all = append(append(bytes.Clone(b.all[:at]), window...), rest...)
	for len(b.all)%8 > 0 {
		b.all = append(b.all, 0)
	}
	b.w, b.h = w, h
}

// Colors says what the samples mean, where x265 has said that they are of BT.601, or what they are is unknown.
func (b *Bits) Colors(matrix int, fullRange bool) {
	for _, was := range []byte{6, 2} {
		var said []byte
		for _, c := range []byte{2, 2, was} {
			for i := range 8 {
				said = append(said, c>>(7-i)&1)
			}
		}
		at := bytes.LastIndex(b.all, append([]byte{1}, said...))
		if at < 1 {
			continue
		}
		b.all[at-1] = 0
		if fullRange {
			b.all[at-1] = 1
		}
		for i := range 8 {
			b.all[at+17+i] = byte(matrix >> (7 - i) & 1)
		}
		return
	}
	panic(fmt.Sprintf("no colours in % x", binary.BigEndian.AppendUint16(nil, uint16(len(b.all)))))
}
