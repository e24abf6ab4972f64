// Command photo writes a JPEG like a phone's to stdout: 12 megapixels, stored on its side, with the place and the
// device that took it. It writes the same bytes each time.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
)

func main() {
	if err := writePhoto(); err != nil {
		fmt.Fprintln(os.Stderr, "photo:", err)
		os.Exit(1)
	}
}

func writePhoto() error {
	var body bytes.Buffer
	if err := jpeg.Encode(&body, drawScene(4032, 3024), &jpeg.Options{Quality: 92}); err != nil {
		return err
	}
	tags := exifBytes()
	out := bufio.NewWriter(os.Stdout)
	out.Write(body.Bytes()[:2]) // the start marker, which EXIF must follow
	out.Write([]byte{0xff, 0xe1, byte((len(tags) + 2) >> 8), byte(len(tags) + 2)})
	out.Write(tags)
	out.Write(body.Bytes()[2:])
	return out.Flush()
}

// drawScene returns a picture of a sky above a sea. It has grain, since a smooth picture would be far smaller than a
// photo.
func drawScene(w, h int) image.Image {
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	grain := uint32(1)
	for y := range h {
		base := color.RGBA{uint8(90 + 120*y/h), uint8(140 + 60*y/h), 210, 255}
		if y > h/2 {
			base = color.RGBA{20, uint8(60 + 60*(h-y)/h), uint8(90 + 90*(h-y)/h), 255}
		}
		light, cb, cr := color.RGBToYCbCr(base.R, base.G, base.B)
		for x := range w {
			grain = grain*1664525 + 1013904223
			img.Y[img.YOffset(x, y)] = light + uint8(grain>>28)
			c := img.COffset(x, y)
			img.Cb[c], img.Cr[c] = cb, cr
		}
	}
	return img
}

// tiffEntry is one tag of a TIFF directory.
type tiffEntry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

const (
	asciiType    = 2
	shortType    = 3
	longType     = 4
	rationalType = 5
)

func exifBytes() []byte {
	le := binary.LittleEndian
	number := func(values ...uint32) (b []byte) {
		for _, v := range values {
			b = le.AppendUint32(b, v)
		}
		return b
	}
	ascii := func(tag uint16, s string) tiffEntry {
		return tiffEntry{tag, asciiType, uint32(len(s) + 1), []byte(s + "\x00")}
	}
	place := func(tag uint16, deg, min, sec uint32) tiffEntry {
		return tiffEntry{tag, rationalType, 3, number(deg, 1, min, 1, sec, 1)}
	}
	device := []tiffEntry{ascii(0x9003, "2026:05:01 12:00:00"), ascii(0xa431, "SERIAL-0042")}
	gps := []tiffEntry{ascii(1, "N"), place(2, 52, 31, 12), ascii(3, "E"), place(4, 13, 24, 18)}

	tiff := append([]byte("II*\x00"), number(8)...)
	top := func(deviceAt, gpsAt uint32) []tiffEntry {
		return []tiffEntry{
			ascii(0x010f, "Doubletap"), ascii(0x0110, "Test Phone"),
			{0x0112, shortType, 1, number(6)}, // turn right to stand upright
			{0x8769, longType, 1, number(deviceAt)}, {0x8825, longType, 1, number(gpsAt)},
		}
	}
	deviceAt := len(tiff) + len(tiffDirectory(top(0, 0), len(tiff)))
	gpsAt := deviceAt + len(tiffDirectory(device, deviceAt))
	tiff = append(tiff, tiffDirectory(top(uint32(deviceAt), uint32(gpsAt)), len(tiff))...)
	tiff = append(tiff, tiffDirectory(device, deviceAt)...)
	tiff = append(tiff, tiffDirectory(gps, gpsAt)...)
	return append([]byte("Exif\x00\x00"), tiff...)
}

// tiffDirectory returns a TIFF directory that begins at the offset at, followed by its longer values.
func tiffDirectory(entries []tiffEntry, at int) []byte {
	le := binary.LittleEndian
	out := le.AppendUint16(nil, uint16(len(entries)))
	behind := at + 2 + 12*len(entries) + 4
	var values []byte
	for _, e := range entries {
		out = le.AppendUint16(out, e.tag)
		out = le.AppendUint16(out, e.kind)
		out = le.AppendUint32(out, e.count)
		if len(e.value) <= 4 {
			out = append(out, append(e.value, 0, 0, 0, 0)[:4]...)
			continue
		}
		out = le.AppendUint32(out, uint32(behind+len(values)))
		values = append(values, e.value...)
		if len(values)%2 == 1 {
			values = append(values, 0)
		}
	}
	out = le.AppendUint32(out, 0) // no further directory
	return append(out, values...)
}
