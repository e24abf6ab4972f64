package baseline

import (
	"bytes"
	"context"
)

// coefficientPlaces says, by scale in eighths, where the kth coefficient of the zigzag lies among those that the
// scale needs: the upper left eighths x eighths of the block. The others, and those past 63 that only a damaged file
// has, go to discardPlace.
var coefficientPlaces = func() (p [9][128]uint8) {
	for _, n := range []int{1, 2, 4, 8} {
		for k := range p[n] {
			p[n][k] = discardPlace
			if k < 64 {
				if x, y := zigzag[k]%8, zigzag[k]/8; x < n && y < n {
					p[n][k] = uint8(y*n + x)
				}
			}
		}
	}
	return
}()

const discardPlace = 64

var zigzag = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// coefficients are those of one block. The array has room for every index that a byte can be, so that the innermost
// loop needs no bounds check.
type coefficients [256]int32

// decodeScan decodes all MCUs into the picture. From the first row with damaged data on, all rows are gray.
func (d *decoder) decodeScan(ctx context.Context) error {
	k := d.eighths
	h, v := d.components[0].h, d.components[0].v
	columns, rows := (d.width+8*h-1)/(8*h), (d.height+8*v-1)/(8*v)
	if d.firstRow {
		rows = 1
	}
	place := &coefficientPlaces[k]
	var co coefficients
	for i := range d.componentCount {
		d.components[i].previousDC = 0
	}
	left, marker := d.restartInterval, 0
	for row := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		for column := range columns {
			if d.restartInterval > 0 {
				if left == 0 {
					if err := d.bits.resumeAtRestart(marker); err != nil {
						return d.endAtRow(row, err)
					}
					for i := range d.componentCount {
						d.components[i].previousDC = 0
					}
					left, marker = d.restartInterval, (marker+1)&7
				}
				left--
			}
			for i := range d.componentCount {
				c := &d.components[i]
				stride := c.plane.Stride
				for y := range c.v {
					at := (row*c.v+y)*k*stride + column*c.h*k
					for range c.h {
						last := c.readBlock(&d.bits, &co, place)
						if last < 0 {
							return d.endAtRow(row, ErrMalformed)
						}
						inverseDCT(k, &co, last, c.plane.Pix[at:], stride)
						at += k
					}
				}
			}
		}
		if d.bits.isShort() {
			return d.endAtRow(row, ErrShort)
		}
	}
	return nil
}

// endAtRow makes everything gray from a row of MCUs on, as most programs show a damaged photo, and returns nil. It
// returns err if no row was decoded, or if the file itself lacks its end, which may be there when it is read again.
func (d *decoder) endAtRow(row int, err error) error {
	if row == 0 || !bytes.HasSuffix(d.bits.src, []byte{0xFF, eoi}) {
		return err
	}
	for i := range d.componentCount {
		c := &d.components[i]
		rest := c.plane.Pix[row*c.v*d.eighths*c.plane.Stride:]
		for at := range rest {
			rest[at] = 128
		}
	}
	return nil
}

// readBlock reads a block's coefficients, multiplied by their quantisers, into co, which must be all zero. It returns
// the zigzag index of the last one, or -1 if it meets a code that does not exist.
func (c *component) readBlock(b *bitReader, co *coefficients, place *[128]uint8) int {
	if b.n < 32 {
		b.fillWord()
	}
	e := c.dc.fastEntries[b.word>>(64-fastBits)]
	if e == 0 {
		if e = c.dc.longEntry(b.word); e == 0 {
			return -1
		}
	}
	c.previousDC += entryValue(e, b.word)
	b.word <<= uint(e) & 63
	b.n -= uint(e) & 63
	co[0] = c.previousDC * c.quantizer[0]

	// local copies stay in registers; fields of c and b would not
	word, n, ac, quant := b.word, b.n, c.ac, c.quantizer
	k := 1
	for k < 64 {
		if n < 32 {
			b.word, b.n = word, n
			b.fillWord()
			word, n = b.word, b.n
		}
		e := ac.fastEntries[word>>(64-fastBits)]
		if e == 0 {
			if e = ac.longEntry(word); e == 0 {
				return -1
			}
		}
		run := int(e >> 10 & 31)
		if run == endOfBlock {
			word <<= uint(e) & 63
			n -= uint(e) & 63
			break
		}
		k += run
		co[place[k&127]] = entryValue(e, word) * quant[k&63]
		word <<= uint(e) & 63
		n -= uint(e) & 63
		k++
	}
	b.word, b.n = word, n
	return k - 1
}

// entryValue returns the value of entry e; word begins with its code.
func entryValue(e int32, word uint64) int32 {
	size := uint(e>>6) & 15
	if size == 0 {
		return e >> 16
	}
	bits := int32(word << (uint(e)&63 - size) >> (64 - size))
	// the same as extendValue, without a branch that a processor cannot predict
	return bits + (bits>>(size-1)-1)&(-1<<size+1)
}

// longEntry returns the entry of a code that is too long for fastEntries, or 0 if the code does not exist.
func (t *huffmanTable) longEntry(word uint64) int32 {
	code := int32(word >> 48)
	for n := fastBits + 1; n <= 16; n++ {
		if code < t.codeEnds[n] {
			return tableEntry(t.symbols[(code>>(16-n)+t.offset[n])&255], n, 0, 0)
		}
	}
	return 0
}
