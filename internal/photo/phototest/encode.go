package phototest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"math"
	"slices"
)

// EncodeJPEG returns m as a JPEG of the standard library: baseline, 4:2:0.
func EncodeJPEG(m image.Image, quality int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // only for pictures larger than a JPEG can be
	}
	return b.Bytes()
}

// JPEGShape describes a JPEG of a kind that the standard library does not write.
type JPEGShape struct {
	// Sampling has the factors of each of the 1, 3 or 4 components, such as {2, 2}, {1, 1}, {1, 1} for 4:2:0.
	Sampling [][2]int
	// ComponentNames are the components' identifiers; "RGB" for RGB; 1, 2, 3 … if empty.
	ComponentNames string
	// Adobe is the transform in an Adobe marker, or -1 for no marker.
	Adobe int
	// RestartInterval is how many MCUs lie between restart markers.
	RestartInterval int
	// Progressive writes the brightness of the whole picture first, in seven scans.
	Progressive bool
	// ScanPerComponent writes each component in a scan of its own.
	ScanPerComponent bool
	Quality          int
}

// Encode returns a picture of w x h as such a JPEG. at returns the sample of component c at x, y.
func (s JPEGShape) Encode(w, h int, at func(c, x, y int) byte) []byte {
	e := newJPEGEncoder(s, w, h)
	e.computeBlocks(at)
	e.writeText("\xff\xd8")
	if s.Adobe >= 0 {
		e.writeSegment(0xEE, "Adobe\x00\x64\x00\x00\x00\x00"+string(rune(s.Adobe)))
	}
	e.writeText(e.tables)
	e.writeFrame()
	if s.RestartInterval > 0 {
		e.writeSegment(0xDD, string([]byte{byte(s.RestartInterval >> 8), byte(s.RestartInterval)}))
	}
	all := make([]int, len(s.Sampling))
	for i := range all {
		all[i] = i
	}
	switch {
	case s.Progressive:
		e.writeScan(all, 0, 0, 0, 1)
		for _, i := range all {
			e.writeScan([]int{i}, 1, 5, 0, 0)
		}
		e.writeScan(all, 0, 0, 1, 0)
		for _, i := range all {
			e.writeScan([]int{i}, 6, 63, 0, 0)
		}
	case s.ScanPerComponent:
		for _, i := range all {
			e.writeScan([]int{i}, 0, 63, 0, 0)
		}
	default:
		e.writeScan(all, 0, 63, 0, 0)
	}
	e.writeText("\xff\xd9")
	return e.out
}

// SamplesOf returns the samples of m as the function that Encode takes.
func SamplesOf(m *image.YCbCr) func(c, x, y int) byte {
	return func(c, x, y int) byte {
		p := m.YCbCrAt(x, y)
		return [3]byte{p.Y, p.Cb, p.Cr}[c]
	}
}

type jpegEncoder struct {
	JPEGShape
	w, h, maxH, maxV int
	columns, rows    int         // MCUs
	blocks           [][][64]int // by component, row-major, quantised, in zigzag order
	tables           string
	quant            [64]int
	codes            [2][256]struct{ code, n int } // DC and AC
	out              []byte
	acc, bits        int
}

// newJPEGEncoder returns an encoder with the quantisers and Huffman tables of the standard library.
func newJPEGEncoder(s JPEGShape, w, h int) *jpegEncoder {
	if s.Quality == 0 {
		s.Quality = 92
	}
	e := &jpegEncoder{JPEGShape: s, w: w, h: h}
	for _, f := range s.Sampling {
		e.maxH, e.maxV = max(e.maxH, f[0]), max(e.maxV, f[1])
	}
	e.columns, e.rows = (w+8*e.maxH-1)/(8*e.maxH), (h+8*e.maxV-1)/(8*e.maxV)
	model := EncodeJPEG(image.NewGray(image.Rect(0, 0, 8, 8)), s.Quality)
	for at := 2; model[at+1] != 0xDA; {
		size := int(binary.BigEndian.Uint16(model[at+2:]))
		data := model[at+4 : at+2+size]
		switch model[at+1] {
		case 0xDB:
			e.tables += string(model[at : at+2+size])
			for i := range 64 {
				e.quant[i] = int(data[1+i])
			}
		case 0xC4:
			e.tables += string(model[at : at+2+size])
			for len(data) > 0 {
				class, code, k := data[0]>>4, 0, 17
				for n, count := range data[1:17] {
					for range count {
						e.codes[class][data[k]].code, e.codes[class][data[k]].n = code, n+1
						code++
						k++
					}
					code <<= 1
				}
				data = data[k:]
			}
		}
		at += 2 + size
	}
	return e
}

func (e *jpegEncoder) writeText(s string) { e.out = append(e.out, s...) }

func (e *jpegEncoder) writeSegment(marker byte, data string) {
	e.writeText(JPEGSegment(marker, data))
}

func (e *jpegEncoder) componentName(i int) byte {
	if e.ComponentNames != "" {
		return e.ComponentNames[i]
	}
	return byte(i + 1)
}

func (e *jpegEncoder) writeFrame() {
	data := []byte{8, byte(e.h >> 8), byte(e.h), byte(e.w >> 8), byte(e.w), byte(len(e.Sampling))}
	for i, f := range e.Sampling {
		data = append(data, e.componentName(i), byte(f[0]<<4|f[1]), 0)
	}
	marker := byte(0xC0)
	if e.Progressive {
		marker = 0xC2
	}
	e.writeSegment(marker, string(data))
}

// computeBlocks transforms and quantises all blocks.
func (e *jpegEncoder) computeBlocks(at func(c, x, y int) byte) {
	for c, f := range e.Sampling {
		stepX, stepY := e.maxH/f[0], e.maxV/f[1]
		blocks := make([][64]int, e.columns*f[0]*e.rows*f[1])
		for i := range blocks {
			bx, by := i%(e.columns*f[0]), i/(e.columns*f[0])
			var in [64]float64
			for k := range in {
				x, y, sum := (bx*8+k%8)*stepX, (by*8+k/8)*stepY, 0
				for dy := range stepY {
					for dx := range stepX {
						sum += int(at(c, min(x+dx, e.w-1), min(y+dy, e.h-1)))
					}
				}
				in[k] = float64(sum)/float64(stepX*stepY) - 128
			}
			forwardDCT(&in)
			for k, z := range zigzag {
				blocks[i][k] = int(math.Round(in[z] / float64(e.quant[k])))
			}
		}
		e.blocks = append(e.blocks, blocks)
	}
}

var cosines = func() (t [8][8]float64) {
	for u := range 8 {
		for x := range 8 {
			t[u][x] = math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) / 2
			if u == 0 {
				t[u][x] /= math.Sqrt2
			}
		}
	}
	return
}()

func forwardDCT(b *[64]float64) {
	var rows [64]float64
	for y := range 8 {
		for u := range 8 {
			for x := range 8 {
				rows[y*8+u] += b[y*8+x] * cosines[u][x]
			}
		}
	}
	*b = [64]float64{}
	for x := range 8 {
		for v := range 8 {
			for y := range 8 {
				b[v*8+x] += rows[y*8+x] * cosines[v][y]
			}
		}
	}
}

// zigzag is the order in which a JPEG stores a block's coefficients.
var zigzag = func() (order [64]int) {
	at := make([]int, 64)
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		ax, ay, bx, by := a%8, a/8, b%8, b/8
		if d := (ax + ay) - (bx + by); d != 0 {
			return d
		}
		if (ax+ay)%2 == 0 {
			return ax - bx
		}
		return bx - ax
	})
	return [64]int(at)
}()

// writeScan writes the coefficients first to last of some components: all bits but the lowest low ones or, if high is
// set, only bit low.
func (e *jpegEncoder) writeScan(components []int, first, last, high, low int) {
	head := []byte{byte(len(components))}
	for _, c := range components {
		head = append(head, e.componentName(c), 0)
	}
	e.writeSegment(0xDA, string(append(head, byte(first), byte(last), byte(high<<4|low))))
	before := make([]int, len(e.Sampling))
	block := func(c, i int) {
		b := &e.blocks[c][i]
		if first == 0 {
			dc := b[0] >> low
			if high > 0 {
				e.writeBits(dc&1, 1)
			} else {
				e.writeValue(0, 0, dc-before[c])
				before[c] = dc
			}
		}
		run := 0
		for k := max(first, 1); k <= last; k++ {
			if b[k] == 0 {
				run++
				continue
			}
			for ; run > 15; run -= 16 {
				e.writeSymbol(1, 0xF0)
			}
			e.writeValue(1, run, b[k])
			run = 0
		}
		if run > 0 && last > 0 {
			e.writeSymbol(1, 0)
		}
	}
	count, restarts := 0, 0
	restart := func() {
		if e.RestartInterval > 0 && count > 0 && count%e.RestartInterval == 0 {
			e.flushBits()
			e.writeText("\xff" + string([]byte{byte(0xD0 + restarts%8)}))
			restarts++
			clear(before)
		}
		count++
	}
	if len(components) == 1 {
		c := components[0]
		f := e.Sampling[c]
		w, h := (e.w*f[0]+e.maxH-1)/e.maxH, (e.h*f[1]+e.maxV-1)/e.maxV
		for by := range (h + 7) / 8 {
			for bx := range (w + 7) / 8 {
				restart()
				block(c, by*e.columns*f[0]+bx)
			}
		}
	} else {
		for m := range e.columns * e.rows {
			restart()
			mx, my := m%e.columns, m/e.columns
			for _, c := range components {
				f := e.Sampling[c]
				for v := range f[1] {
					for u := range f[0] {
						block(c, (my*f[1]+v)*e.columns*f[0]+mx*f[0]+u)
					}
				}
			}
		}
	}
	e.flushBits()
}

// writeValue writes a value after run zeros.
func (e *jpegEncoder) writeValue(class, run, v int) {
	size, bits := 0, v
	for a := max(v, -v); a > 0; a >>= 1 {
		size++
	}
	if v < 0 {
		bits += 1<<size - 1
	}
	e.writeSymbol(class, run<<4|size)
	e.writeBits(bits, size)
}

func (e *jpegEncoder) writeSymbol(class, s int) {
	e.writeBits(e.codes[class][s].code, e.codes[class][s].n)
}

func (e *jpegEncoder) writeBits(bits, n int) {
	for n--; n >= 0; n-- {
		e.acc = e.acc<<1 | bits>>n&1
		if e.bits++; e.bits == 8 {
			e.out = append(e.out, byte(e.acc))
			if e.acc&255 == 255 {
				e.out = append(e.out, 0)
			}
			e.acc, e.bits = 0, 0
		}
	}
}

func (e *jpegEncoder) flushBits() {
	for e.bits != 0 {
		e.writeBits(1, 1)
	}
}
