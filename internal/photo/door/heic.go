package door

import (
	"errors"
	"math"

	"doubletap/internal/photo/heif"
)

// refusals say for people why package heif finds no picture.
var refusals = map[error]error{
	heif.ErrShort:       ErrShort,
	heif.ErrDamaged:     broken("its parts do not fit together"),
	heif.ErrKind:        ErrKind,
	heif.ErrUnsupported: ErrCoding,
	heif.ErrLarge:       ErrPixels,
	heif.ErrDirectory:   ErrHidden,
}

// openHEIC looks through the directory of a HEIC to the coded pictures that its primary one is made of: only what all
// of them are can be decoded.
func openHEIC(src []byte, limits Limits) (Info, error) {
	p, err := openHEIF(src, limits)
	if err != nil {
		return Info{}, err
	}
	info := Info{Orientation: 1, Frames: 1, Width: p.Width, Height: p.Height, Gray: p.Gray()}
	if p.Memory() > limits.Decoded || int64(p.Canvas.X)*int64(p.Canvas.Y) > int64(limits.Pixels) {
		return info, ErrPixels
	}
	info.Decoded = p.Planes()
	return info, nil
}

// openHEIF allows for twice the pixels of a photo: what lies behind its edges, and what says how opaque it is.
func openHEIF(src []byte, limits Limits) (*heif.Picture, error) {
	p, err := heif.Open(src, 2*int64(limits.Pixels))
	for cause, refusal := range refusals {
		if errors.Is(err, cause) {
			return nil, refusal
		}
	}
	return p, err
}

func profileHEIC(src []byte) []byte {
	p, err := heif.Open(src, math.MaxInt64) // whoever asks has let it in, within limits of their own
	if err != nil {
		return nil
	}
	return p.Profile
}
