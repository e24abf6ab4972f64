package heic

import (
	"image/color"
	"math"

	"github.com/doubletap/doubletap/internal/photo/heif"
	"github.com/doubletap/doubletap/internal/photo/plane"
)

// convertToJPEGRange converts the samples of a picture to those of a JPEG: BT.601, full range. A picture that does
// not say what its samples mean has such samples already, by ISO/IEC 23000-22.
func convertToJPEGRange(p *plane.Picture, c heif.Color) {
	scaleY, scaleC, black := 1.0, 1.0, 0.0
	if c.Specified && !c.FullRange {
		scaleY, scaleC, black = 255.0/219, 255.0/224, 16
	}
	var light [256]int32 // in 65536ths, with a half for rounding
	for i := range light {
		light[i] = int32(math.Round((float64(i)-black)*scaleY*65536)) + 1<<15
	}
	switch {
	case p.IsGray():
		applyLevels(p.Y, &light)
	case c.Specified && c.Matrix == heif.MatrixRGB:
		convertFromRGB(p, &light)
	default:
		mix := colorMixOf(c)
		if mix != identityMix || scaleY != 1 {
			mix.applyTo(p, &light, scaleC)
		}
	}
}

func applyLevels(pl plane.Plane, light *[256]int32) {
	for i, v := range pl.Pix {
		pl.Pix[i] = clampFixedPoint(light[v])
	}
}

func clampFixedPoint(v int32) byte { return byte(min(max(v>>16, 0), 255)) }

// convertFromRGB converts a picture whose planes are green, blue and red to YCbCr.
func convertFromRGB(p *plane.Picture, light *[256]int32) {
	for y := range p.H {
		green, blue, red := p.Y.Pix[y*p.Y.Stride:], p.Cb.Pix[y*p.Cb.Stride:], p.Cr.Pix[y*p.Cr.Stride:]
		for x := range p.W {
			green[x], blue[x], red[x] = color.RGBToYCbCr(clampFixedPoint(light[red[x]]), clampFixedPoint(light[green[x]]), clampFixedPoint(light[blue[x]]))
		}
	}
}

// colorMix converts the colours of a picture to BT.601: it holds what Cb and Cr add to brightness, to Cb and to Cr.
// Brightness adds only to itself, since gray is the same in all matrices.
type colorMix [3][2]float64

var identityMix = colorMix{{0, 0}, {1, 0}, {0, 1}}

func colorMixOf(c heif.Color) colorMix {
	var r, g, b [2]float64 // what Cb and Cr add to red, green and blue
	if c.Matrix == heif.MatrixYCgCo {
		r, g, b = [2]float64{-1, 1}, [2]float64{1, 0}, [2]float64{-1, -1}
	} else {
		red, blue := c.Weights()
		if red == 0.299 && blue == 0.114 {
			return identityMix
		}
		green := 1 - red - blue
		r[1], b[0] = 2*(1-red), 2*(1-blue)
		g = [2]float64{-blue * b[0] / green, -red * r[1] / green}
	}
	var m colorMix
	for i := range 2 {
		m[0][i] = 0.299*r[i] + 0.587*g[i] + 0.114*b[i]
		m[1][i] = (b[i] - m[0][i]) / 1.772
		m[2][i] = (r[i] - m[0][i]) / 1.402
	}
	return m
}

func (m colorMix) applyTo(p *plane.Picture, light *[256]int32, scale float64) {
	var tables [3][2][256]int32 // in 65536ths
	for i := range tables {
		for j := range tables[i] {
			for v := range tables[i][j] {
				tables[i][j][v] = int32(math.Round(float64(v-128) * scale * m[i][j] * 65536))
			}
		}
	}
	const middle = 128<<16 + 1<<15
	for y := range p.Cb.H {
		rowCb, rowCr := p.Cb.Pix[y*p.Cb.Stride:][:p.Cb.W], p.Cr.Pix[y*p.Cr.Stride:][:p.Cr.W]
		for line := y * p.SubY; line < min((y+1)*p.SubY, p.H); line++ {
			row := p.Y.Pix[line*p.Y.Stride:][:p.W]
			for x := range row {
				k := x / p.SubX
				row[x] = clampFixedPoint(light[row[x]] + tables[0][0][rowCb[k]] + tables[0][1][rowCr[k]])
			}
		}
		for x, cb := range rowCb {
			cr := rowCr[x]
			rowCb[x] = clampFixedPoint(middle + tables[1][0][cb] + tables[1][1][cr])
			rowCr[x] = clampFixedPoint(middle + tables[2][0][cb] + tables[2][1][cr])
		}
	}
}
