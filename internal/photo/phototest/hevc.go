package phototest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/doubletap/doubletap/internal/photo/heif"
)

// CodedItem returns the first coded picture of a HEIC as an item of its own. change, unless nil, is called for each
// sequence parameter set and may change it.
func CodedItem(src []byte, change func(*ParameterSet)) HEIFItem {
	p, err := heif.ReadPrimary(src, 1e9)
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
			b := newParameterSet(unit)
			change(b)
			unit, w, h = b.encodeUnit(), b.w, b.h
		}
		if i := kind - 32; i >= 0 && i < 3 {
			sets[i] += bigEndian16(len(unit)) + string(unit)
			counts[i]++
		} else {
			data += bigEndian32(len(unit)) + string(unit)
		}
	}
	format := map[[2]int]byte{{0, 0}: 0, {2, 2}: 1, {2, 1}: 2, {1, 1}: 3}[[2]int{p.Coded.SubX, p.Coded.SubY}]
	depth := byte(p.Coded.Depth - 8)
	config := string([]byte{0: 1, 1: 3, 13: 0xF0, 15: 0xFC, 16: 0xFC | format, 17: 0xF8 | depth, 18: 0xF8 | depth, 21: 0x0F, 22: 3})
	for i, all := range sets {
		config += string([]byte{0x80 | byte(32+i)}) + bigEndian16(counts[i]) + all
	}
	channels := "\x03" + string(bytes.Repeat([]byte{8 + depth}, 3))
	if format == 0 {
		channels = "\x01" + string([]byte{8 + depth})
	}
	return HEIFItem{Kind: "hvc1", Data: data, Properties: []string{HEIFBox("hvcC", config), ExtentProperty(w, h), HEIFFullBox("pixi", channels)}}
}

// ParameterSet is a sequence parameter set that x265 wrote, bit by bit.
type ParameterSet struct {
	unitHead []byte // the NAL unit's header
	allBits  []byte // one bit in each byte
	w, h     int
}

func newParameterSet(unit []byte) *ParameterSet {
	b := &ParameterSet{unitHead: unit[:2]}
	for _, c := range bytes.ReplaceAll(unit[2:], []byte{0, 0, 3}, []byte{0, 0}) {
		for i := range 8 {
			b.allBits = append(b.allBits, c>>(7-i)&1)
		}
	}
	// After the profile, at 4 + 3 + 1 + 96 bits: the number of the set, the format of colours, the size, the window.
	_, at := b.golombAt(104)
	_, at = b.golombAt(at)
	if format, _ := b.golombAt(105); format == 3 {
		at++
	}
	b.w, at = b.golombAt(at)
	b.h, _ = b.golombAt(at)
	return b
}

// golombAt returns the Exp-Golomb number at a bit, and the first bit after it.
func (b *ParameterSet) golombAt(at int) (n, next int) {
	zeros := bytes.IndexByte(b.allBits[at:], 1)
	for _, bit := range b.allBits[at+zeros : at+2*zeros+1] {
		n = n<<1 | int(bit)
	}
	return n - 1, at + 2*zeros + 1
}

func (b *ParameterSet) encodeUnit() []byte {
	var raw []byte
	all := b.allBits
	for ; len(all) >= 8; all = all[8:] {
		var c byte
		for _, bit := range all[:8] {
			c = c<<1 | bit
		}
		raw = append(raw, c)
	}
	out := bytes.Clone(b.unitHead)
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

// SetWindow makes the picture show only w x h from its upper left corner.
func (b *ParameterSet) SetWindow(w, h int) {
	format, at := b.golombAt(105)
	if format == 3 {
		at++
	}
	codedW, at := b.golombAt(at)
	codedH, at := b.golombAt(at)
	end := at + 1
	if b.allBits[at] == 1 {
		for range 4 {
			_, end = b.golombAt(end)
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
	// The bits end with padding to a whole byte: a one and zeros.
	rest := b.allBits[end:]
	rest = rest[:bytes.LastIndexByte(rest, 1)+1]
	b.allBits = append(append(bytes.Clone(b.allBits[:at]), window...), rest...)
	for len(b.allBits)%8 > 0 {
		b.allBits = append(b.allBits, 0)
	}
	b.w, b.h = w, h
}

// SetColors sets what the samples mean, in a set in which x265 has written BT.601 or "unknown".
func (b *ParameterSet) SetColors(matrix int, fullRange bool) {
	for _, was := range []byte{6, 2} {
		var said []byte
		for _, c := range []byte{2, 2, was} {
			for i := range 8 {
				said = append(said, c>>(7-i)&1)
			}
		}
		at := bytes.LastIndex(b.allBits, append([]byte{1}, said...))
		if at < 1 {
			continue
		}
		b.allBits[at-1] = 0
		if fullRange {
			b.allBits[at-1] = 1
		}
		for i := range 8 {
			b.allBits[at+17+i] = byte(matrix >> (7 - i) & 1)
		}
		return
	}
	panic(fmt.Sprintf("no colours in % x", binary.BigEndian.AppendUint16(nil, uint16(len(b.allBits)))))
}
