package photo

import (
	"bytes"
	"errors"
	"image"
	"math/rand/v2"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/door"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestWhatIsDamagedIsRefusedOrShown flips bytes of a photo of every kind, in its headers, its data and where a checksum is made right again.
func TestWhatIsDamagedIsRefusedOrShown(t *testing.T) {
	testenv.SkipSequential(t)
	scene := phototest.DrawScene(96, 64)
	shape := func(s phototest.JPEGShape) []byte {
		s.Sampling, s.Quality = [][2]int{{2, 2}, {1, 1}, {1, 1}}, 90
		return s.Encode(96, 64, phototest.SamplesOf(scene))
	}
	for name, src := range map[string][]byte{
		"JPEG": phototest.EncodeJPEG(scene, 90), "JPEG of a phone": phototest.PhoneJPEG(phototest.EncodeJPEG(scene, 90), 6, phototest.DisplayP3(), false),
		"gray JPEG":       phototest.EncodeJPEG(&image.Gray{Pix: scene.Y, Stride: scene.YStride, Rect: scene.Rect}, 90),
		"restarts":        shape(phototest.JPEGShape{Adobe: -1, RestartInterval: 2}),
		"apart":           shape(phototest.JPEGShape{Adobe: -1, ScanPerComponent: true}),
		"progressive":     shape(phototest.JPEGShape{Adobe: -1, Progressive: true}),
		"PNG":             phototest.TaggedPNG(scene, 6, phototest.DisplayP3()),
		"PNG, interlaced": phototest.EncodeRawPNG(96, 64, 8, 2, true, "", func(c, x, y int) int { return (c + 1) * x * y & 255 }),
		"PNG, 16 bits":    phototest.EncodeRawPNG(96, 64, 16, 0, false, "", func(_, x, y int) int { return x * y & 0xFFFF }),
		"GIF":             phototest.TaggedGIF(scene, 3),
		"lossy WebP":      phototest.TaggedWebP("lossy.webp", 6, ""), "lossless WebP": phototest.TaggedWebP("lossless.webp", 1, ""),
		"WebP with alpha": phototest.TaggedWebP("alpha.webp", 1, ""), "animated WebP": phototest.TaggedWebP("animated.webp", 1, ""),
	} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			refused, unseen := 0, 0
			for n := range 200 {
				damaged := bytes.Clone(src)
				at := random.IntN(len(damaged) - 4)
				damaged[at] ^= byte(1 + random.IntN(255))
				if n%2 == 0 {
					damaged = rightSums(damaged)
				}
				r := Renderer{Sizes: []Size{{Side: 24, Crop: true}}}
				info, err := door.Inspect(damaged, door.Standard)
				var clean []byte
				if err == nil {
					clean, err = door.StripMetadata(damaged, info)
				}
				if err != nil {
					if _, coded := errors.AsType[*door.Refusal](err); !coded {
						t.Fatalf("byte %d: %v", at, err)
					}
					continue
				}
				err = r.Check(t.Context(), clean, info)
				_, shown := r.Render(t.Context(), clean)
				switch {
				case errors.Is(err, ErrUnreadable) && errors.Is(shown, ErrUnreadable):
					refused++
				case err != nil || shown != nil:
					t.Errorf("byte %d is let in with %v, and shown with %v", at, err, shown)
				default:
					unseen++
				}
			}
			t.Logf("%d refused by what is inside, %d let in and shown", refused, unseen)
		})
	}
}

// rightSums returns a PNG with the checksums of its chunks made right, as far as they are there.
func rightSums(src []byte) []byte {
	const head = "\x89PNG\r\n\x1a\n"
	if !bytes.HasPrefix(src, []byte(head)) {
		return src
	}
	out := []byte(head)
	for at := len(head); ; {
		if at+12 > len(src) {
			return append(out, src[at:]...)
		}
		size := int(src[at])<<24 | int(src[at+1])<<16 | int(src[at+2])<<8 | int(src[at+3])
		if size > len(src)-at-12 {
			return append(out, src[at:]...)
		}
		out = append(out, phototest.PNGChunk(string(src[at+4:at+8]), string(src[at+8:at+8+size]))...)
		at += 12 + size
	}
}

// BenchmarkCheck is what the door takes to decode what cannot be judged from outside, of 12 MP, beside Render of the same.
func BenchmarkCheck(b *testing.B) {
	scene := phototest.DrawScene(4000, 3000)
	s := phototest.JPEGShape{Adobe: -1, Progressive: true, Sampling: [][2]int{{2, 2}, {1, 1}, {1, 1}}, Quality: 90}
	for name, src := range map[string][]byte{
		"JPEG": phototest.EncodeJPEG(scene, 92), "progressive": s.Encode(4000, 3000, phototest.SamplesOf(scene)), "PNG": phototest.TaggedPNG(scene, 1, ""), "GIF": phototest.TaggedGIF(scene, 1),
	} {
		info, err := door.Inspect(src, door.Standard)
		if err != nil {
			b.Fatal(name, err)
		}
		clean, err := door.StripMetadata(src, info)
		if err != nil {
			b.Fatal(name, err)
		}
		b.Run(name+"/check", func(b *testing.B) {
			for b.Loop() {
				if err := (Renderer{}).Check(b.Context(), clean, info); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/render", func(b *testing.B) {
			for b.Loop() {
				if _, err := (Renderer{}).Render(b.Context(), clean); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
