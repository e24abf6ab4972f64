// Package heic decodes the photos that iPhones take, with libheif and
// libde265 compiled to WebAssembly: no cgo, and whatever a file makes them do,
// they cannot leave the memory that they are given.
package heic

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"sync"
	_ "unsafe" // for go:linkname

	_ "github.com/gen2brain/heic" // brings the WebAssembly module
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// The module is the one that github.com/gen2brain/heic embeds. We run it ourselves, in memory that
// is bounded and given back, and never beside a libheif of the machine.
//
//go:linkname compressed github.com/gen2brain/heic.heifWasm
var compressed []byte

// ErrDecode is returned for what libheif refuses, or has not enough memory for.
var ErrDecode = errors.New("heic: cannot be decoded")

// DefaultMemory is what a photo of 50 MP takes, 7 bytes a pixel, and that of
// an HDR one, 12 bytes a pixel, up to 40 MP.
const DefaultMemory = 512 << 20

// Decoder decodes one photo at a time. The first Decode compiles the module,
// which takes a second; Warm does it before.
type Decoder struct {
	busy chan struct{} // held by who decodes
	once sync.Once
	err  error
	rt   wazero.Runtime
	code wazero.CompiledModule
	most int64
}

// New returns a decoder that takes at most so many bytes for a photo.
func New(most int64) *Decoder {
	return &Decoder{busy: make(chan struct{}, 1), most: most}
}

// Warm compiles the module.
func (d *Decoder) Warm(ctx context.Context) error {
	d.once.Do(func() { d.err = d.compile(context.WithoutCancel(ctx)) })
	return d.err
}

const page = 1 << 16

func (d *Decoder) compile(ctx context.Context) error {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return fmt.Errorf("heic: open module: %w", err)
	}
	module, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("heic: unpack module: %w", err)
	}
	pages := min(d.most/page, 1<<16)
	d.rt = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(uint32(pages)))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, d.rt); err != nil {
		return fmt.Errorf("heic: %w", err)
	}
	if d.code, err = d.rt.CompileModule(ctx, module); err != nil {
		return fmt.Errorf("heic: compile module: %w", err)
	}
	return nil
}

// Decode returns the picture in src, upright: libheif turns it as the file
// demands. What takes more memory than the decoder has is ErrDecode. It waits
// until nobody else decodes, or ctx ends; a picture that it has begun it
// finishes: to look at ctx, the module would take six times as long.
func (d *Decoder) Decode(ctx context.Context, src []byte) (image.Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case d.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-d.busy }()
	if err := d.Warm(ctx); err != nil {
		return nil, err
	}
	ctx = experimental.WithMemoryAllocator(ctx, reserve(uint64(d.most)))
	m, err := d.rt.InstantiateModule(ctx, d.code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, fmt.Errorf("heic: start module: %w", err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	return decode(ctx, m, src)
}

// libheif's names for what it returns.
const (
	spaceYCbCr, spaceRGB, spaceMono = 0, 1, 2
	chroma420, chroma422, chroma444 = 1, 2, 3
)

// picture is what the module's function decode says of the picture, in the
// order in which it takes the addresses to say it to.
type picture struct{ width, height, space, chroma, premultiplied uint32 }

func decode(ctx context.Context, m api.Module, src []byte) (image.Image, error) {
	mem := m.Memory()
	in, err := alloc(ctx, m, len(src))
	if err != nil {
		return nil, err
	}
	if !mem.Write(in, src) {
		return nil, ErrDecode
	}
	says, err := alloc(ctx, m, 5*4)
	if err != nil {
		return nil, err
	}
	run := func(headersOnly uint64, out uint32) (p picture, err error) {
		args := []uint64{uint64(in), uint64(len(src)), headersOnly}
		for i := range uint32(5) {
			args = append(args, uint64(says+4*i))
		}
		ok, err := m.ExportedFunction("decode").Call(ctx, append(args, uint64(out))...)
		if err != nil {
			return p, failed(ctx, err)
		}
		if ok[0] == 0 {
			return p, ErrDecode
		}
		for i, v := range []*uint32{&p.width, &p.height, &p.space, &p.chroma, &p.premultiplied} {
			*v, _ = mem.ReadUint32Le(says + 4*uint32(i))
		}
		return p, nil
	}
	p, err := run(1, 0)
	if err != nil {
		return nil, err
	}
	l, err := p.layout()
	if err != nil {
		return nil, err
	}
	out, err := alloc(ctx, m, l.size)
	if err != nil {
		return nil, err
	}
	if again, err := run(0, out); err != nil || again != p {
		return nil, failed(ctx, err)
	}
	pix, ok := mem.Read(out, uint32(l.size))
	if !ok {
		return nil, ErrDecode
	}
	return p.image(l, bytes.Clone(pix)), nil // the module's memory goes with it
}

func alloc(ctx context.Context, m api.Module, n int) (uint32, error) {
	at, err := m.ExportedFunction("malloc").Call(ctx, uint64(n))
	if err != nil {
		return 0, failed(ctx, err)
	}
	if at[0] == 0 {
		return 0, fmt.Errorf("%w: out of memory", ErrDecode)
	}
	return uint32(at[0]), nil
}

// failed says why the module stopped.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %v", ErrDecode, err)
}

// layout is where libheif puts the planes, with rows of a multiple of 16.
type layout struct{ stride, cStride, cHeight, size int }

func (p picture) layout() (l layout, err error) {
	const most = 1 << 15
	if p.width == 0 || p.height == 0 || p.width > most || p.height > most {
		return l, ErrDecode
	}
	w, h := int(p.width), int(p.height)
	pad := func(n int) int { return (n + 15) &^ 15 }
	switch p.space {
	case spaceMono:
		l.stride = pad(w)
	case spaceRGB:
		l.stride = pad(4 * w)
	case spaceYCbCr:
		l.stride, l.cStride, l.cHeight = pad(w), pad((w+1)/2), h
		switch p.chroma {
		case chroma420:
			l.cHeight = (h + 1) / 2
		case chroma422:
		case chroma444:
			l.cStride = pad(w)
		default:
			return l, ErrDecode
		}
	default:
		return l, ErrDecode
	}
	l.size = l.stride*h + 2*l.cStride*l.cHeight
	return l, nil
}

func (p picture) image(l layout, pix []byte) image.Image {
	r := image.Rect(0, 0, int(p.width), int(p.height))
	switch p.space {
	case spaceMono:
		return &image.Gray{Pix: pix, Stride: l.stride, Rect: r}
	case spaceRGB:
		if p.premultiplied == 1 {
			return &image.RGBA{Pix: pix, Stride: l.stride, Rect: r}
		}
		return &image.NRGBA{Pix: pix, Stride: l.stride, Rect: r}
	}
	y, c := l.stride*int(p.height), l.cStride*l.cHeight
	ratio := map[uint32]image.YCbCrSubsampleRatio{
		chroma420: image.YCbCrSubsampleRatio420, chroma422: image.YCbCrSubsampleRatio422, chroma444: image.YCbCrSubsampleRatio444,
	}[p.chroma]
	return &image.YCbCr{
		Y: pix[:y], Cb: pix[y : y+c], Cr: pix[y+c:],
		YStride: l.stride, CStride: l.cStride, SubsampleRatio: ratio, Rect: r,
	}
}
