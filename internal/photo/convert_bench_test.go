package photo

import (
	"image"
	"image/color/palette"
	"image/draw"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/phototest"
)

// BenchmarkConvert measures the conversion of 12 MP of what decoders return other than planes.
func BenchmarkConvert(b *testing.B) {
	scene := phototest.DrawScene(4000, 3000)
	r := scene.Bounds()
	nrgba := phototest.CutOutDisc(scene)
	opaque, deep, cmyk := image.NewNRGBA(r), image.NewNRGBA64(r), image.NewCMYK(r)
	gray16, paletted := image.NewGray16(r), image.NewPaletted(r, palette.Plan9)
	draw.Draw(opaque, r, scene, r.Min, draw.Src)
	draw.Draw(deep, r, scene, r.Min, draw.Src)
	for i := range cmyk.Pix {
		cmyk.Pix[i] = byte(i)
	}
	for i := range paletted.Pix {
		paletted.Pix[i] = byte(i >> 3)
	}
	seeThrough := &image.NYCbCrA{YCbCr: *scene, A: make([]byte, len(scene.Y)), AStride: scene.YStride}
	for name, m := range map[string]image.Image{
		"NRGBA": nrgba, "NRGBA, opaque": opaque, "NRGBA64": deep, "CMYK": cmyk, "Gray16": gray16, "Paletted": paletted, "NYCbCrA": seeThrough,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				planesOf(m, r, false).Release()
			}
		})
	}
}
