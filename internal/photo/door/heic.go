package door

import (
	"errors"
	"math"

	"github.com/doubletap/doubletap/internal/photo/heif"
)

// refusalsOfHEIF maps the errors of package heif to refusals that a person can read.
var refusalsOfHEIF = map[error]error{
	heif.ErrShort:       ErrShort,
	heif.ErrDamaged:     brokenBecause("its parts do not fit together"),
	heif.ErrKind:        ErrKind,
	heif.ErrUnsupported: ErrCoding,
	heif.ErrLarge:       ErrPixels,
	heif.ErrDirectory:   ErrHidden,
}

// inspectHEIC reads the directory of a HEIC down to the coded pictures that its primary picture is made of: it can be
// decoded only if all of them can.
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

// readHEIF reads the primary picture of src. It allows twice the pixels of a photo, for what lies outside its edges
// and for its alpha.
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
