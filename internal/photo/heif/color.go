package heif

import "encoding/binary"

// Color says what the samples of a picture mean, by the numbers of ITU-T H.273. Without Specified, the other fields
// mean nothing.
type Color struct {
	Specified                   bool
	Primaries, Transfer, Matrix int
	FullRange                   bool
}

// Matrices of Color.
const (
	MatrixRGB   = 0
	MatrixYCgCo = 8
)

// Weights returns the weights of red and blue in the brightness.
func (c Color) Weights() (red, blue float64) {
	switch c.Matrix {
	case 1:
		return 0.2126, 0.0722
	case 4:
		return 0.30, 0.11
	case 7:
		return 0.212, 0.087
	case 9, 10:
		return 0.2627, 0.0593
	case 12, 13: // derived from the primaries
		switch c.Primaries {
		case 1:
			return 0.2126, 0.0722
		case 9:
			return 0.2627, 0.0593
		case 11, 12:
			return 0.2290, 0.0793
		}
	}
	return 0.299, 0.114
}

// isSupported reports whether package heic can convert from the matrix.
func (c Color) isSupported() bool { return c.Matrix <= 13 && c.Matrix != 3 && c.Matrix != 11 }

// colorInfo returns what the properties of an item say of its colours: the first nclx, and the first ICC profile or
// nil.
func (it *item) colorInfo() (color Color, profile []byte) {
	for _, p := range it.properties {
		if p.name != "colr" || len(p.data) < 4 {
			continue
		}
		switch d := p.data; string(d[:4]) {
		case "nclx":
			if len(d) >= 11 && !color.Specified {
				n := func(at int) int { return int(binary.BigEndian.Uint16(d[at:])) }
				color = Color{true, n(4), n(6), n(8), d[10]&0x80 != 0}
			}
		case "prof", "rICC":
			if profile == nil {
				profile = d[4:]
			}
		}
	}
	return color, profile
}
