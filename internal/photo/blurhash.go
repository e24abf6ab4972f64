package photo

import (
	"fmt"
	"math"

	"image/color"

	"github.com/doubletap/doubletap/internal/photo/plane"
)

// rgbPixelsOf returns the pixels of a small picture, row by row, as red, green and blue.
func rgbPixelsOf(p *plane.Picture) [][3]uint8 {
	out := make([][3]uint8, 0, p.W*p.H)
	for y := range p.H {
		for x := range p.W {
			cb, cr := uint8(128), uint8(128)
			if !p.IsGray() {
				i := y/p.SubY*p.Cb.Stride + x/p.SubX
				cb, cr = p.Cb.Pix[i], p.Cr.Pix[i]
			}
			r, g, b := color.YCbCrToRGB(p.Y.Pix[y*p.Y.Stride+x], cb, cr)
			out = append(out, [3]uint8{r, g, b})
		}
	}
	return out
}

// mostCommonColor divides the colours into 512 equal parts and returns the mean of the pixels in the fullest part, as
// "#rrggbb". That is what the photo mostly shows; the mean of all pixels would be grey.
func mostCommonColor(pixels [][3]uint8) string {
	var sums [512][4]int
	most := 0
	for _, p := range pixels {
		i := int(p[0]>>5)<<6 | int(p[1]>>5)<<3 | int(p[2]>>5)
		s := &sums[i]
		s[0], s[1], s[2], s[3] = s[0]+int(p[0]), s[1]+int(p[1]), s[2]+int(p[2]), s[3]+1
		if s[3] > sums[most][3] {
			most = i
		}
	}
	s := sums[most]
	n := max(s[3], 1)
	return fmt.Sprintf("#%02x%02x%02x", s[0]/n, s[1]/n, s[2]/n)
}

// encodeBlurhash returns the blurhash of the pixels, see https://blurha.sh: the lowest frequencies of a cosine
// transform, in characters that JSON does not escape.
func encodeBlurhash(pixels [][3]uint8, w, h int) string {
	nx, ny := 4, 3
	if h > w {
		nx, ny = 3, 4
	}
	linear := make([][3]float64, len(pixels))
	for i, p := range pixels {
		for c, v := range p {
			linear[i][c] = srgbToLinear[v]
		}
	}
	factors := make([][3]float64, 0, nx*ny)
	most := 0.0
	for j := range ny {
		for i := range nx {
			var f [3]float64
			scale := 2 / float64(w*h)
			if i == 0 && j == 0 {
				scale /= 2
			}
			for y := range h {
				basis := scale * math.Cos(math.Pi*float64(j*y)/float64(h))
				for x := range w {
					b := basis * math.Cos(math.Pi*float64(i*x)/float64(w))
					for c, v := range linear[y*w+x] {
						f[c] += b * v
					}
				}
			}
			factors = append(factors, f)
			if i+j > 0 {
				most = max(most, math.Abs(f[0]), math.Abs(f[1]), math.Abs(f[2]))
			}
		}
	}
	step := max(0, min(82, int(math.Floor(most*166-0.5))))
	out := appendBase83(nil, nx-1+(ny-1)*9, 1)
	out = appendBase83(out, step, 1)
	dc := factors[0]
	out = appendBase83(out, linearToSRGB(dc[0])<<16|linearToSRGB(dc[1])<<8|linearToSRGB(dc[2]), 4)
	for _, f := range factors[1:] {
		v := 0
		for _, c := range f {
			c /= float64(step+1) / 166
			root := math.Copysign(math.Sqrt(math.Abs(c)), c)
			v = v*19 + max(0, min(18, int(math.Floor(root*9+9.5))))
		}
		out = appendBase83(out, v, 2)
	}
	return string(out)
}

var srgbToLinear = func() (t [256]float64) {
	for i := range t {
		v := float64(i) / 255
		if v <= 0.04045 {
			t[i] = v / 12.92
		} else {
			t[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return
}()

func linearToSRGB(v float64) int {
	v = max(0, min(1, v))
	if v <= 0.0031308 {
		return int(v*12.92*255 + 0.5)
	}
	return int((1.055*math.Pow(v, 1/2.4)-0.055)*255 + 0.5)
}

// appendBase83 appends v as n digits of base 83.
func appendBase83(to []byte, v, n int) []byte {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
	for range n {
		to = append(to, '0')
	}
	for i := range n {
		to[len(to)-1-i] = digits[v%83]
		v /= 83
	}
	return to
}
