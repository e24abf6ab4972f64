package heic

import (
	"image"
	"testing"

	"github.com/doubletap/doubletap/internal/photo/plane"
)

// A part of an overlay may lie outside the canvas.
func TestPasteBesideTheCanvas(t *testing.T) {
	for _, at := range []image.Point{{-500, 0}, {500, 0}, {0, -500}, {0, 500}, {-500, 3}, {500, -3}} {
		for _, sub := range []int{1, 2} {
			for _, to := range []int{1, 2} {
				dst, src := plane.New(16, 16, to, to, false), plane.New(33, 31, sub, sub, false)
				pastePicture(dst, src, at)
				pastePicture(dst, plane.New(33, 31, 1, 1, true), at)
				blendPicture(plane.New(16, 16, 1, 1, false), decodedPicture{Picture: src, alpha: plane.New(33, 31, 1, 1, true)}, at)
			}
		}
	}
}
