package baseline

import (
	"encoding/binary"
	"sync"

	"github.com/doubletap/doubletap/internal/photo/plane"
)

// decoder is what is known of a JPEG while it is read. It is 40 kB, mostly tables, and is therefore pooled between
// photos.
type decoder struct {
	eighths, limit int
	firstRow       bool // is all that is read

	width, height   int
	components      [3]component
	componentCount  int
	restartInterval int // MCUs between restart markers, 0 for none
	jfif            bool
	adobe           int // Adobe's colour transform, plus one; 0 when there is no Adobe marker

	quantizers [4][64]int32 // in zigzag order
	dc, ac     [4]huffmanTable

	picture *plane.Picture
	bits    bitReader
}

type component struct {
	id         byte
	h, v       int // blocks in an MCU
	quantizer  *[64]int32
	dc, ac     *huffmanTable
	plane      *plane.Plane
	previousDC int32 // of the previous block
}

var decoderPool = sync.Pool{New: func() any { return new(decoder) }}

const (
	soi, eoi, sos = 0xD8, 0xD9, 0xDA
	dqt, dht, dri = 0xDB, 0xC4, 0xDD
	sof0, sof1    = 0xC0, 0xC1
	app0, app14   = 0xE0, 0xEE
	rst0, rst7    = 0xD0, 0xD7
)

// readHeaders reads everything before the scan's data and leaves d.bits at that data.
func (d *decoder) readHeaders(src []byte) error {
	if len(src) < 2 || src[0] != 0xFF || src[1] != soi {
		return ErrMalformed
	}
	at := 2
	for {
		// bytes before a marker that belong to none are skipped, as image/jpeg does
		for at+1 < len(src) && (src[at] != 0xFF || src[at+1] == 0xFF || src[at+1] == 0) {
			at++
		}
		if at+4 > len(src) {
			return ErrShort
		}
		marker := src[at+1]
		if marker >= rst0 && marker <= rst7 {
			at += 2
			continue
		}
		size := int(binary.BigEndian.Uint16(src[at+2:]))
		if size < 2 || marker == eoi || marker == soi {
			return ErrMalformed
		}
		if at+2+size > len(src) {
			return ErrShort
		}
		data := src[at+4 : at+2+size]
		at += 2 + size
		var err error
		switch marker {
		case dqt:
			err = d.readQuantTables(data)
		case dht:
			err = d.readHuffmanTables(data)
		case dri:
			if len(data) != 2 {
				return ErrMalformed
			}
			d.restartInterval = int(binary.BigEndian.Uint16(data))
		case sof0, sof1:
			err = d.readFrame(data)
		case app0:
			d.jfif = len(data) >= 5 && string(data[:5]) == "JFIF\x00"
		case app14:
			if len(data) >= 12 && string(data[:5]) == "Adobe" {
				d.adobe = int(data[11]) + 1
			}
		case sos:
			d.bits.src, d.bits.at = src, at
			return d.startScan(data)
		default:
			if marker < app0 || marker > 0xEF && marker != 0xFE {
				return ErrUnsupported // other frames, arithmetic coding, reserved markers
			}
		}
		if err != nil {
			return err
		}
	}
}

func (d *decoder) readQuantTables(data []byte) error {
	for len(data) > 0 {
		wide, id := int(data[0]>>4), data[0]&15
		data = data[1:]
		if wide > 1 || id > 3 || len(data) < 64<<wide {
			return ErrMalformed
		}
		for i := range 64 {
			if wide == 1 {
				d.quantizers[id][i] = int32(binary.BigEndian.Uint16(data[2*i:]))
			} else {
				d.quantizers[id][i] = int32(data[i])
			}
		}
		data = data[64<<wide:]
	}
	return nil
}

func (d *decoder) readHuffmanTables(data []byte) error {
	for len(data) > 0 {
		if len(data) < 17 || data[0]&15 > 3 || data[0]>>4 > 1 {
			return ErrMalformed
		}
		n := 0
		for _, c := range data[1:17] {
			n += int(c)
		}
		if n > 256 || len(data) < 17+n {
			return ErrMalformed
		}
		t := &d.dc[data[0]&15]
		if data[0]>>4 == 1 {
			t = &d.ac[data[0]&15]
		}
		if !t.buildCodes([16]byte(data[1:17]), data[17:17+n]) {
			return ErrMalformed
		}
		data = data[17+n:]
	}
	return nil
}

func (d *decoder) readFrame(data []byte) error {
	if d.componentCount != 0 || len(data) < 6 {
		return ErrMalformed
	}
	if data[0] != 8 {
		return ErrUnsupported
	}
	d.height, d.width = int(binary.BigEndian.Uint16(data[1:])), int(binary.BigEndian.Uint16(data[3:]))
	if d.width == 0 || d.height == 0 || len(data) != 6+3*int(data[5]) {
		return ErrMalformed
	}
	if data[5] != 1 && data[5] != 3 {
		return ErrUnsupported
	}
	d.componentCount = int(data[5])
	for i := range d.componentCount {
		c := &d.components[i]
		c.id, c.h, c.v = data[6+3*i], int(data[7+3*i]>>4), int(data[7+3*i]&15)
		if data[8+3*i] > 3 {
			return ErrMalformed
		}
		c.quantizer = &d.quantizers[data[8+3*i]]
	}
	if d.componentCount == 1 {
		d.components[0].h, d.components[0].v = 1, 1 // a lone component is never subsampled, whatever it says
		return nil
	}
	y, cb, cr := d.components[0], d.components[1], d.components[2]
	if y.id == cb.id || y.id == cr.id || cb.id == cr.id {
		return ErrMalformed
	}
	if y.h < 1 || y.h > 4 || y.v < 1 || y.v > 4 || cb.h != 1 || cb.v != 1 || cr.h != 1 || cr.v != 1 {
		return ErrUnsupported // 4:4:4, 4:2:2, 4:4:0 and 4:2:0 remain, and rare ones such as 3 x 1
	}
	return nil
}

// startScan reads the scan's header and allocates the picture.
func (d *decoder) startScan(data []byte) error {
	if d.componentCount == 0 || len(data) < 1 || len(data) != 4+2*int(data[0]) {
		return ErrMalformed
	}
	if int(data[0]) != d.componentCount {
		return ErrUnsupported
	}
	rgb := d.components[0].id == 'R' && d.components[1].id == 'G' && d.components[2].id == 'B'
	if d.componentCount == 3 && !d.jfif && (d.adobe == 1 || rgb) {
		return ErrUnsupported // red, green and blue, not brightness and colour
	}
	for i := range d.componentCount {
		c := &d.components[i]
		if data[1+2*i] != c.id {
			return ErrUnsupported // another order of the components, which is for image/jpeg to judge
		}
		tables := data[2+2*i]
		if tables>>4 > 3 || tables&15 > 3 {
			return ErrMalformed
		}
		c.dc, c.ac = &d.dc[tables>>4], &d.ac[tables&15]
		if !c.dc.built || !c.ac.built {
			return ErrMalformed
		}
	}

	k, h, v := d.eighths, d.components[0].h, d.components[0].v
	blockW, blockH := k*h, k*v // the size of an MCU after scaling
	columns, rows := (d.width+8*h-1)/(8*h), (d.height+8*v-1)/(8*v)
	samples := columns * rows * blockW * blockH
	if d.componentCount == 3 {
		samples += 2 * columns * rows * k * k
	}
	if samples > d.limit {
		return ErrTooLarge
	}
	w, ht := (d.width*k+7)/8, (d.height*k+7)/8
	d.picture = plane.NewPadded(w, ht, h, v, d.componentCount == 1, columns*blockW, rows*blockH)
	d.picture.ExactW, d.picture.ExactH = float64(d.width*k)/8, float64(d.height*k)/8
	d.components[0].plane, d.components[1].plane, d.components[2].plane = &d.picture.Y, &d.picture.Cb, &d.picture.Cr
	return nil
}
