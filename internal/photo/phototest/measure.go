package phototest

import (
	"image"
	"math"

	"github.com/disintegration/imaging"
)

// ResizeLanczos is the reference for resizing: it returns the samples of a plane as w x h by imaging's filter, which
// is exact except that it rounds to whole levels after each direction.
func ResizeLanczos(plane *image.Gray, w, h int) func(i int) float64 {
	m := imaging.Resize(plane, w, h, imaging.Lanczos)
	return func(i int) float64 { return float64(m.Pix[4*i]) }
}

// PSNR returns how alike two rows of n samples are, in dB; more than 90 means that they are the same.
func PSNR(n int, a, b func(i int) float64) float64 {
	sum := 0.0
	for i := range n {
		d := a(i) - b(i)
		sum += d * d
	}
	return 10 * math.Log10(255*255/(sum/float64(n)+1e-9))
}
