package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
)

// benchPhoto returns a JPEG like a phone's, with so much noise that 12 megapixels take 3 megabytes. It stores the
// JPEG in file for the next run.
func benchPhoto(file string, width int) ([]byte, error) {
	if data, err := os.ReadFile(file); err == nil {
		return data, nil
	}
	height := width * 3 / 4
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	rnd := rand.New(rand.NewPCG(1, 2))
	for y := range height {
		for x := range width {
			noise := rnd.IntN(24)
			picture.SetRGBA(x, y, color.RGBA{uint8(x*200/width + noise), uint8(y*200/height + noise), uint8((x/40+y/40)%2*60 + 80 + noise), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 80}); err != nil {
		return nil, fmt.Errorf("encode photo %s: %w", file, err)
	}
	part := file + ".part" // of a run that is ended in the midst, the next would take half a photo for the whole
	if err := os.WriteFile(part, out.Bytes(), 0o600); err != nil {
		return nil, fmt.Errorf("keep photo: %w", err)
	}
	return out.Bytes(), os.Rename(part, file)
}

func fileSize(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
