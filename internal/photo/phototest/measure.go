package phototest

import "math"

// Lanczos is the filter that resizing is held to, in float64, one sample at a
// time: sample i of the toW x toH result lies at offset + (i+½)·scale among the
// w x h samples that at returns. Past the edge there is nothing.
func Lanczos(at func(x, y int) float64, w, h, toW, toH int, offsetX, scaleX, offsetY, scaleY float64) []float64 {
	columns := windows(toW, w, offsetX, scaleX)
	rows := make([]float64, h*toW)
	line := make([]float64, w)
	for y := range h {
		for x := range line {
			line[x] = at(x, y)
		}
		for x, c := range columns {
			sum := 0.0
			for k, weight := range c.weights {
				sum += weight * line[c.start+k]
			}
			rows[y*toW+x] = sum
		}
	}
	out := make([]float64, toW*toH)
	for y, c := range windows(toH, h, offsetY, scaleY) {
		for k, weight := range c.weights {
			from := rows[(c.start+k)*toW:][:toW]
			for x, v := range from {
				out[y*toW+x] += weight * v
			}
		}
	}
	for i, v := range out {
		out[i] = math.Round(min(max(v, 0), 255))
	}
	return out
}

type window struct {
	start   int
	weights []float64
}

func windows(n, size int, offset, scale float64) []window {
	stretch := max(scale, 1)
	all := make([]window, n)
	for i := range all {
		center, sum := offset+(float64(i)+0.5)*scale-0.5, 0.0
		all[i].start = max(int(math.Ceil(center-3*stretch)), 0)
		for k := all[i].start; k < size && float64(k) <= center+3*stretch; k++ {
			x := math.Pi * (float64(k) - center) / stretch
			weight := 1.0
			if x != 0 {
				weight = 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
			}
			all[i].weights = append(all[i].weights, weight)
			sum += weight
		}
		for k := range all[i].weights {
			all[i].weights[k] /= sum
		}
	}
	return all
}

// PSNR returns how alike two rows of n samples are, in dB; more than 90 is the same.
func PSNR(n int, a, b func(i int) float64) float64 {
	sum := 0.0
	for i := range n {
		d := a(i) - b(i)
		sum += d * d
	}
	return 10 * math.Log10(255*255/(sum/float64(n)+1e-9))
}
