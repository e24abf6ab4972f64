package phototest

import "embed"

// Pictures of kinds that nothing in Go encodes, 34 kB in all: DrawScene(96, 64) as TaggedWebP (lossy.webp at quality
// 95, lossless.webp a third as wide, alpha.webp from CutOutDisc, animated.webp with both) and DrawScene(128, 96) as a
// HEIC with everything that PhoneJPEG puts into a JPEG, on its side, in one picture (phone.heic); and DrawScene(1000,
// 700) likewise, of four tiles (tiles.heic).
//
//	cwebp -q 95 | cwebp -lossless -resize 32 0 | cwebp -q 50 | img2webp -lossy -q 40 | heif-enc -q 55, and an irot added |
//	heif-enc -q 30 of 512 x 512 each, and a grid over them
//
//go:embed fixtures
var fixtureFiles embed.FS

// Fixture returns one of the files above by name.
func Fixture(name string) []byte {
	b, err := fixtureFiles.ReadFile("fixtures/" + name)
	if err != nil {
		panic(err)
	}
	return b
}
