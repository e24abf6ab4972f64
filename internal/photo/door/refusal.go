package door

// A Refusal says why an uploaded photo is not stored, in words for the person who sent it.
type Refusal struct {
	Code string // stable, for clients
	Text string
}

func (r *Refusal) Error() string { return r.Text }

// Is reports whether err is a refusal with the same code; errors.Is uses it.
func (r *Refusal) Is(err error) bool {
	other, ok := err.(*Refusal)
	return ok && other.Code == r.Code
}

// The refusals of Inspect and StripMetadata.
var (
	ErrKind    = &Refusal{"photo_kind", "This is not a photo we can read. Please use JPEG, PNG, WebP, GIF or HEIC."}
	ErrShort   = &Refusal{"photo_short", "This file ends too early."}
	ErrBroken  = &Refusal{"photo_broken", "This file is damaged."}
	ErrBytes   = &Refusal{"photo_bytes", "This file is too large."}
	ErrPixels  = &Refusal{"photo_pixels", "This photo has too many pixels."}
	ErrFrames  = &Refusal{"photo_frames", "This animation has too many frames."}
	ErrHidden  = &Refusal{"photo_hidden", "This file carries more than a photo."}
	ErrCoding  = &Refusal{"photo_coding", "This photo is stored in a way we cannot read. Please save it as an ordinary JPEG."}
	ErrConvert = &Refusal{"photo_convert", "This photo has to be converted first."}
)

// brokenBecause returns an ErrBroken that also says what is damaged.
func brokenBecause(what string) error {
	return &Refusal{ErrBroken.Code, "This file is damaged: " + what + "."}
}
