package door

import (
	"errors"
	"math"

	"doubletap/internal/photo/heif"
)

// refusalsOfHEIF say for people why package heif finds no picture.
var refusalsOfHEIF = map[error]error{
	heif.ErrShort:       ErrShort,
	heif.ErrDamaged:     brokenBecause("its parts do not fit together"),
	heif.ErrKind:        ErrKind,
	heif.ErrUnsupported: ErrCoding,
	heif.ErrLarge:       ErrPixels,
	heif.ErrDirectory:   ErrHidden,
}

// inspectHEIC looks through the directory of a HEIC to the coded pictures that its primary one is made of: only what all
// of them are can be decoded.
func inspectHEIC(src []byte, limits Limits) (Info, error) {
	p, err := readHEIF(src, limits)
	if err != nil {
		return Info{}, err
	}
	info := Info{Orientation: 1, Frames: 1, Width: p.Width, Height: p.Height, Gray: p.IsGray()}
	if p.DecoderMemory() > limits.Decoded || int64(p.Canvas.X)*int64(p.Canvas.Y) > int64(limits.Pixels) {
		return info, ErrPixels
	}
	info.Decoded = p.PlanesMemory()
	return info, nil
}

// readHEIF allows for twice the pixels of a photo: what lies behind its edges, and what says how opaque it is.
func readHEIF(src []byte, limits Limits) (*heif.Picture, error) {
	p, err := heif.ReadPrimary(src, 2*int64(limits.Pixels))
	for cause, refusal := range refusalsOfHEIF {
		if errors.Is(err, cause) {
			return nil, refusal
		}
	}
	return p, err
}

func profileHEIC(src []byte) []byte {
	p, err := heif.ReadPrimary(src, math.MaxInt64) // whoever asks has let it in, within limits of their own
	if err != nil {
		return nil
	}
	return p.Profile
}
