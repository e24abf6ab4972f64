package demo

import (
	"bytes"
	"image"
	"testing"

	"github.com/pocketbase/pocketbase/tools/filesystem"
)

func TestPhotos(t *testing.T) {
	turned, upright := 0, 0
	for i, s := range photoMotifs {
		for seed := range uint64(2) {
			p := paintedPhoto{scene: s, seed: seed}
			content := p.encodeJPEG()
			if seed == 0 && !bytes.Equal(content, p.encodeJPEG()) {
				t.Errorf("scene %d of seed %d is not the same twice", i, seed)
			}
			size, kind, err := image.DecodeConfig(bytes.NewReader(content))
			if err != nil || kind != "jpeg" || size.Width*size.Height != 1200*900 {
				t.Errorf("scene %d of seed %d is a %s of %dx%d, %v", i, seed, kind, size.Width, size.Height, err)
			}
			if len(content) > 150_000 {
				t.Errorf("scene %d of seed %d has %d bytes", i, seed, len(content))
			}
			if bytes.Contains(content[:40], []byte("Exif")) {
				turned++
			} else {
				upright++
			}
		}
	}
	if turned == 0 || upright == 0 {
		t.Errorf("%d photos carry an orientation and %d do not, want both", turned, upright)
	}
}

// TestTurnedPhotoIsUprightAgain: PocketBase reads the orientation, so its thumb of a turned photo must be upright.
func TestTurnedPhotoIsUprightAgain(t *testing.T) {
	for _, held := range []uint8{3, 6, 8} {
		c := newPainting(80, 40)
		c.fillGradient(0, 40, hexTone(0xffffff), hexTone(0xffffff))
		c.paintRectangle(0, 0, 30, 20, hexTone(0x000000), 1) // the top left corner is black
		fsys, err := filesystem.NewLocal(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := fsys.Upload(encodeWithEXIF(turnedImage(c.RGBA, held), held), "a.jpg"); err != nil {
			t.Fatal(err)
		}
		if err := fsys.CreateThumb("a.jpg", "thumb.jpg", "80x40f"); err != nil {
			t.Fatal(err)
		}
		reader, err := fsys.GetReader("thumb.jpg")
		if err != nil {
			t.Fatal(err)
		}
		thumb, _, err := image.Decode(reader)
		if err != nil {
			t.Fatal(err)
		}
		_ = reader.Close()
		_ = fsys.Close()
		if r, _, _, _ := thumb.At(8, 8).RGBA(); thumb.Bounds().Dx() != 80 || r > 0x4000 {
			t.Errorf("held %d: the thumb is %v and its top left corner %#x", held, thumb.Bounds(), r)
		}
		if r, _, _, _ := thumb.At(70, 30).RGBA(); r < 0xc000 {
			t.Errorf("held %d: the bottom right corner is %#x", held, r)
		}
	}
}
