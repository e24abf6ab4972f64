// Package door inspects a photo before it is decoded: whether it is a photo, whether decoding it can do harm, and
// which metadata must be removed.
package door

import (
	"encoding/binary"

	"github.com/doubletap/doubletap/internal/photo/heif"
)

// Kind is the format of a photo.
type Kind string

// The kinds that Inspect lets in.
const (
	JPEG Kind = "jpeg"
	PNG  Kind = "png"
	WebP Kind = "webp"
	GIF  Kind = "gif"
	HEIC Kind = "heic"
)

// Extension returns the ending of the name of a file of this kind, such as ".jpg".
func (k Kind) Extension() string {
	if k == JPEG {
		return ".jpg"
	}
	return "." + string(k)
}

// Info is what a photo's headers say.
type Info struct {
	Kind Kind
	// Width and Height are of the picture as it is stored; UprightSize is as it is shown.
	Width, Height int
	// Orientation is EXIF's, 1 to 8, and 1 when there is none. It is always 1 for a HEIC: its decoder turns the
	// picture, and Width and Height are those of the result.
	Orientation int
	// Frames is 1, or more for an animation, whose first frame is the photo.
	Frames int
	// Gray means that the picture has no colours.
	Gray bool
	// Scales means that package baseline decodes it, at any of its scales.
	Scales bool
	// Decoded is the most bytes that a decoder holds for the whole picture in full size.
	Decoded int64
}

// UprightSize returns the size of the picture as it is shown.
func (i Info) UprightSize() (w, h int) {
	if i.Orientation >= 5 {
		return i.Height, i.Width
	}
	return i.Width, i.Height
}

// Limits are the most that Inspect lets in.
type Limits struct {
	Bytes int // of the file
	// Scaled is the most pixels of a JPEG that package baseline decodes, Pixels the most of all others.
	Scaled, Pixels int
	Decoded        int64 // bytes of a decoded picture, and of libheif's memory for one part of a HEIC
	Animated       int64 // pixels of an animation, all frames together
}

// Standard are the product's limits, unless its owner sets others.
var Standard = Limits{Bytes: 50 << 20, Scaled: 120e6, Pixels: 50e6, Decoded: 512 << 20, Animated: 2e9}

// Inspect reads the headers of src and returns what they say, or a *Refusal if src is not a photo or exceeds the
// limits. It decodes nothing and hardly allocates, so it costs microseconds, whatever src claims to be.
func Inspect(src []byte, limits Limits) (Info, error) {
	if len(src) > limits.Bytes {
		return Info{}, ErrBytes
	}
	kind, err := sniffKind(src)
	if err != nil {
		return Info{}, err
	}
	var info Info
	switch kind {
	case JPEG:
		info, err = inspectJPEG(src)
	case PNG:
		info, err = inspectPNG(src, limits)
	case WebP:
		info, err = inspectWebP(src, limits)
	case GIF:
		info, err = inspectGIF(src, limits)
	case HEIC:
		info, err = inspectHEIC(src, limits)
	}
	info.Kind = kind
	if err == nil {
		err = limits.checkInfo(info)
	}
	if err != nil {
		return Info{}, err
	}
	return info, nil
}

// longestSide is the longest side, in pixels, of a JPEG and so of a rendition. A PNG of one row could have 50 million
// pixels in it, and a filter or a band of rows for such a row takes gigabytes.
const longestSide = 1<<16 - 1

// checkInfo returns a *Refusal for what is too large, else nil. Formats whose headers lie far apart call it before
// they read on.
func (l Limits) checkInfo(i Info) error {
	if i.Width <= 0 || i.Height <= 0 {
		return brokenBecause("it has no width or height")
	}
	pixels := int64(i.Width) * int64(i.Height)
	most := int64(l.Pixels)
	if i.Scales {
		most = int64(l.Scaled)
	}
	switch {
	case pixels > most, max(i.Width, i.Height) > longestSide:
		return ErrPixels
	case !i.Scales && i.Decoded > l.Decoded:
		return ErrPixels
	case i.Frames > 1 && int64(i.Frames)*pixels > l.Animated:
		return ErrFrames
	}
	return nil
}

// StripMetadata returns src with nothing but the picture: no EXIF, position, XMP, comment or maker's note, and
// nothing behind the picture's end. What is needed to show it stays, unchanged to the bit: the coded samples, the
// colour profile, and the orientation, alone in an EXIF of its own when it is not 1. It reads all of src and refuses
// what is truncated. It returns src itself if there is nothing to remove. A HEIC must be converted instead:
// ErrConvert.
//
// info is what Inspect returned for src.
func StripMetadata(src []byte, info Info) ([]byte, error) {
	switch info.Kind {
	case JPEG:
		return stripJPEG(src, info)
	case PNG:
		return stripPNG(src, info)
	case WebP:
		return stripWebP(src, info)
	case GIF:
		return stripGIF(src)
	}
	return nil, ErrConvert
}

// ColorProfile returns the colour profile of a photo that Inspect let in. It returns nil if there is none, or one
// that is damaged, larger than 1 MB or made for other colours than the photo's.
func ColorProfile(src []byte, info Info) []byte {
	var p []byte
	switch info.Kind {
	case JPEG:
		p = profileJPEG(src)
	case PNG:
		p = profilePNG(src)
	case WebP:
		p = profileWebP(src)
	case HEIC:
		p = profileHEIC(src)
	}
	space := "RGB "
	if info.Gray {
		space = "GRAY"
	}
	if len(p) < 132 || int(binary.BigEndian.Uint32(p)) != len(p) || string(p[16:20]) != space || string(p[36:40]) != "acsp" {
		return nil
	}
	return p
}

// sniffKind returns the kind, judged by the first bytes; names and content types cannot be trusted.
func sniffKind(src []byte) (Kind, error) {
	begins := func(s string) bool { return len(src) >= len(s) && string(src[:len(s)]) == s }
	switch {
	case len(src) == 0:
		return "", ErrShort
	case begins("\xff\xd8\xff"):
		return JPEG, nil
	case begins("\x89PNG\r\n\x1a\n"):
		return PNG, nil
	case begins("GIF87a"), begins("GIF89a"):
		return GIF, nil
	case len(src) >= 12 && begins("RIFF") && string(src[8:12]) == "WEBP":
		return WebP, nil
	case heif.IsHEIF(src):
		return HEIC, nil
	}
	return "", ErrKind
}
