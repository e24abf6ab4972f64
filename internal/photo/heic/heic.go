// Package heic decodes the photos that iPhones take, with libheif and libde265 compiled to WebAssembly. This needs no
// cgo, and whatever a file makes them do, they cannot reach beyond the memory that they are given.
package heic

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"image"
	"io"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/doubletap/doubletap/internal/photo/heif"
)

// compressed is libheif, run in memory that is bounded and given back.
//
//go:embed libheif/heif.wasm.gz
var compressed []byte

// ErrDecode is returned for what libheif refuses or lacks memory for.
var ErrDecode = errors.New("heic: cannot be decoded")

// DefaultMemory is how many bytes the largest picture takes that HEVC codes as one: 36 MP of 15 bytes each, or 26 MP
// of more than 8 bits, of 20 bytes each.
const DefaultMemory = 512 << 20

// maxCodedSamples is how many samples are decoded for a photo at most: 50 MP, parts that are not wholly seen, and its
// alpha.
const maxCodedSamples = 100e6

// Decoder decodes one photo at a time. The first Decode compiles the module, which takes a second, unless
// EnsureCompiled has done it before.
type Decoder struct {
	decodeSlot     chan struct{} // held while a photo is decoded
	compileOnce    sync.Once
	compileErr     error
	wasmRuntime    wazero.Runtime
	compiledModule wazero.CompiledModule
	maxMemory      int64
}

// New returns a decoder that takes at most that many bytes for a photo.
func New(most int64) *Decoder {
	return &Decoder{decodeSlot: make(chan struct{}, 1), maxMemory: most}
}

// EnsureCompiled compiles the module at the first call, and returns the error of that at all calls.
func (d *Decoder) EnsureCompiled(ctx context.Context) error {
	d.compileOnce.Do(func() { d.compileErr = d.compileModule(context.WithoutCancel(ctx)) })
	return d.compileErr
}

const wasmPageBytes = 1 << 16

func (d *Decoder) compileModule(ctx context.Context) error {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return fmt.Errorf("heic: open module: %w", err)
	}
	module, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("heic: unpack module: %w", err)
	}
	pages := min(d.maxMemory/wasmPageBytes, 1<<16)
	d.wasmRuntime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(uint32(pages)))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, d.wasmRuntime); err != nil {
		return fmt.Errorf("heic: %w", err)
	}
	if d.compiledModule, err = d.wasmRuntime.CompileModule(ctx, module); err != nil {
		return fmt.Errorf("heic: compile module: %w", err)
	}
	return nil
}

// Decode returns the picture in src, upright, on white where it is transparent, as an *image.Gray or an *image.YCbCr.
// Its samples are in the range and matrix of a JPEG's, whatever those of the file are. Decode returns ErrDecode for
// what takes more memory than the decoder has. It waits until no other photo is being decoded, or ctx ends; but it
// finishes a coded picture that it has begun: to look at ctx, the module would take six times as long.
func (d *Decoder) Decode(ctx context.Context, src []byte) (image.Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := heif.ReadPrimary(src, maxCodedSamples)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDecode, err)
	}
	select {
	case d.decodeSlot <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-d.decodeSlot }()
	if err := d.EnsureCompiled(ctx); err != nil {
		return nil, err
	}
	s, err := d.composePicture(ctx, p)
	if err != nil {
		return nil, err
	}
	return s.withoutAlpha().AsImage(), nil
}
