package heic

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/doubletap/doubletap/internal/photo/heif"
	"github.com/doubletap/doubletap/internal/photo/plane"
)

// libheif's numbers for what it returns.
const (
	spaceYCbCr, spaceRGB, spaceMono = 0, 1, 2
	chroma420, chroma422            = 1, 2
)

// decodeSamples decodes a coded picture, with its samples unchanged, in a module of its own: whatever a picture does
// to the module's memory ends with the module.
func (d *Decoder) decodeSamples(ctx context.Context, c *heif.Coded) (*plane.Picture, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	with := experimental.WithMemoryAllocator(ctx, reserve(uint64(d.maxMemory)))
	m, err := d.wasmRuntime.InstantiateModule(with, d.compiledModule, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, fmt.Errorf("heic: start module: %w", err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	l := sampleLayoutOf(c)
	src := encodeStill(c)
	in, err := allocate(with, m, len(src))
	if err != nil {
		return nil, err
	}
	if !m.Memory().Write(in, src) {
		return nil, ErrDecode
	}
	const answers = 5 // width, height, space, chroma, premultiplied
	says, err := allocate(with, m, answers*4)
	if err != nil {
		return nil, err
	}
	out, err := allocate(with, m, l.size)
	if err != nil {
		return nil, err
	}
	args := []uint64{uint64(in), uint64(len(src)), 0}
	for i := range uint64(answers) {
		args = append(args, uint64(says)+4*i)
	}
	ok, err := m.ExportedFunction("decode").Call(with, append(args, uint64(out))...)
	if err != nil {
		return nil, moduleError(ctx, err)
	}
	if ok[0] == 0 {
		return nil, ErrDecode
	}
	for i, want := range []int{c.Width, c.Height, l.space} {
		if got, _ := m.Memory().ReadUint32Le(says + 4*uint32(i)); int(got) != want {
			return nil, ErrDecode
		}
	}
	pix, readable := m.Memory().Read(out, uint32(l.size))
	if !readable {
		return nil, ErrDecode
	}
	return l.copyPicture(c, pix), nil // a copy, since the module's memory ends with the module
}

func allocate(ctx context.Context, m api.Module, n int) (uint32, error) {
	at, err := m.ExportedFunction("malloc").Call(ctx, uint64(n))
	if err != nil {
		return 0, moduleError(ctx, err)
	}
	if at[0] == 0 {
		return 0, fmt.Errorf("%w: out of memory", ErrDecode)
	}
	return uint32(at[0]), nil
}

// moduleError returns the error of ctx if that has ended, else ErrDecode with the module's error.
func moduleError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", ErrDecode, err)
}

// sampleLayout says where libheif puts the samples: in planes, or side by side for each pixel.
type sampleLayout struct {
	space  int
	bytes  int // that a sample takes in a row; of a pixel, when interleaved
	stride int
	size   int
}

// sampleLayoutOf returns the layout of a picture. libheif converts interleaved samples to 8 bits, but not those in
// planes.
func sampleLayoutOf(c *heif.Coded) sampleLayout {
	l := sampleLayout{space: spaceYCbCr, bytes: (c.Depth + 7) / 8}
	planes := 3
	switch {
	case c.IsGray():
		l.space, planes = spaceMono, 1
	case c.SubX > 1:
		l.space, l.bytes, planes = spaceRGB, 4, 1
	}
	// A row has at least 64 samples, an even number of them, and a multiple of 16 bytes.
	l.stride = (max(64, c.Width+c.Width&1)*l.bytes + 15) &^ 15
	l.size = planes * l.stride * c.Height
	return l
}

// copyPicture returns a copy of the samples in pix, in planes of 8 bits.
func (l sampleLayout) copyPicture(c *heif.Coded, pix []byte) *plane.Picture {
	if l.space == spaceRGB {
		return l.splitInterleaved(c, pix)
	}
	p := plane.New(c.Width, c.Height, 1, 1, c.IsGray())
	for i, to := range []plane.Plane{p.Y, p.Cb, p.Cr} {
		for y := range to.H {
			row, from := to.Pix[y*to.Stride:][:to.W], pix[(i*c.Height+y)*l.stride:]
			if l.bytes == 2 {
				narrowSamples(row, from, c.Depth)
			} else {
				copy(row, from)
			}
		}
	}
	return p
}

// narrowSamples converts samples of 16 bits, depth of which are used, to samples of 8 bits.
func narrowSamples(to, from []byte, depth int) {
	for x := range to {
		v := int(binary.LittleEndian.Uint16(from[2*x:]))
		to[x] = byte(min((v+1<<(depth-9))>>(depth-8), 255))
	}
}

// splitInterleaved returns the planes of samples that lie side by side: Cr, Y, Cb, and an unused byte.
func (l sampleLayout) splitInterleaved(c *heif.Coded, pix []byte) *plane.Picture {
	p := plane.New(c.Width, c.Height, c.SubX, c.SubY, false)
	for y := range p.H {
		from := pix[y*l.stride:][:4*p.W]
		row := p.Y.Pix[y*p.Y.Stride:][:p.W]
		for x := range row {
			row[x] = from[4*x+1]
		}
		if y%p.SubY > 0 {
			continue
		}
		cb, cr := p.Cb.Pix[y/p.SubY*p.Cb.Stride:][:p.Cb.W], p.Cr.Pix[y/p.SubY*p.Cr.Stride:][:p.Cr.W]
		for x := range cb {
			cr[x], cb[x] = from[4*p.SubX*x], from[4*p.SubX*x+2]
		}
	}
	return p
}
