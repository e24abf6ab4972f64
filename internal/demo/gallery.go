package demo

import "sync"

// picturesPerMotif is how many pictures of a motif a seeded world has. Painting one takes as long as storing some fifty
// likes, so that posts of a large world share them, each with a file of its own.
const picturesPerMotif = 32

// gallery paints each picture once and keeps it. It is safe for concurrent use.
type gallery struct {
	mu       sync.Mutex
	pictures map[any]func() []byte
}

// findPicture returns the picture with the key, which paint makes if nobody has asked for it before.
func (g *gallery) findPicture(key any, paint func() []byte) []byte {
	g.mu.Lock()
	if g.pictures == nil {
		g.pictures = map[any]func() []byte{}
	}
	picture := g.pictures[key]
	if picture == nil {
		picture = sync.OnceValue(paint)
		g.pictures[key] = picture
	}
	g.mu.Unlock()
	return picture()
}

// findPhoto returns the photo as a JPEG.
func (g *gallery) findPhoto(p paintedPhoto) []byte {
	type photoKey struct {
		scene string
		seed  uint64
	}
	return g.findPicture(photoKey{p.scene.alt, p.seed}, p.encodeJPEG)
}

// findPortrait returns the portrait with the look as a JPEG.
func (g *gallery) findPortrait(look portraitLook) []byte {
	return g.findPicture(look, look.encodeJPEG)
}
