package phototest

import "embed"

// What nothing in Go encodes, 16 kB in all: Scene(96, 64) as WebP (lossy.webp
// at quality 95, lossless.webp a third as wide, alpha.webp from RGBA,
// animated.webp with both) and Scene(128, 96) as a HEIC with everything that
// Phone puts into a JPEG, on its side.
//
//	cwebp -q 95 | cwebp -lossless -resize 32 0 | cwebp -q 50 | img2webp -lossy -q 40 | heif-enc -q 55, and an irot added
//
//go:embed fixtures
var fixtures embed.FS

// Fixture returns one of the files above.
func Fixture(name string) []byte {
	b, err := fixtures.ReadFile("fixtures/" + name)
	if err != nil {
		panic(err)
	}
	return b
}
