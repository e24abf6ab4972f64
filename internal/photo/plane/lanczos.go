package plane

import "math"

// filterAxis says, for each sample of a new row or column, where its window in the source begins and what each sample
// in the window weighs.
type filterAxis struct {
	taps    int
	starts  []int32
	weights []uint64 // taps for each sample; two's complement, they add up to 1<<weightBits
}

// lobes is how far the filter reaches, in samples of the smaller picture.
const lobes = 3

// newFilterAxis returns the windows of n samples, the ith of which lies at offset + (i+½)·scale among the size
// samples of the source. Nothing lies past the source's edge: the weights inside it share what would fall outside.
func newFilterAxis(n, size int, offset, scale float64) filterAxis {
	stretch := max(scale, 1)
	reach := lobes * stretch
	a := filterAxis{taps: min(int(math.Ceil(2*reach))+1, size)}
	a.starts = make([]int32, n)
	a.weights = make([]uint64, n*a.taps)
	exact := make([]float64, a.taps)
	for i := range n {
		center := offset + (float64(i)+0.5)*scale - 0.5
		start := min(max(int(math.Ceil(center-reach)), 0), size-a.taps)
		sum := 0.0
		for k := range exact {
			exact[k] = lanczosWeight(math.Abs(float64(start+k)-center) / stretch)
			sum += exact[k]
		}
		a.starts[i] = int32(start)
		roundWeights(a.weights[i*a.taps:][:a.taps], exact, sum)
	}
	return a
}

// roundWeights stores exact/sum in fixed point. The remainder of the rounding goes to the heaviest sample, so that a
// flat area keeps its value exactly.
func roundWeights(weights []uint64, exact []float64, sum float64) {
	const one = 1 << weightBits
	if sum < 0.25 { // a window of one or two samples, all at the filter's zeros
		weights[len(weights)/2] = one
		return
	}
	heaviest, left := 0, one
	for k, e := range exact {
		w := int(math.Round(e / sum * one))
		weights[k] = uint64(w)
		left -= w
		if e > exact[heaviest] {
			heaviest = k
		}
	}
	weights[heaviest] += uint64(left)
}

// lanczosWeight returns the filter's weight at a distance of x samples; x is not negative.
func lanczosWeight(x float64) float64 {
	switch {
	case x == 0:
		return 1
	case x >= lobes:
		return 0
	}
	x *= math.Pi
	return lobes * math.Sin(x) * math.Sin(x/lobes) / (x * x)
}
