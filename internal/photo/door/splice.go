package door

// fileSplice builds a file from pieces of another, in order, and of texts.
type fileSplice struct {
	src    []byte
	pieces []splicePiece
	size   int
}

// splicePiece is a range of the source, or a text.
type splicePiece struct {
	from, to int
	text     string
}

// addRange appends a range of the source.
func (p *fileSplice) addRange(from, to int) {
	p.size += to - from
	if n := len(p.pieces); n > 0 && p.pieces[n-1].to == from && p.pieces[n-1].text == "" {
		p.pieces[n-1].to = to
		return
	}
	p.pieces = append(p.pieces, splicePiece{from: from, to: to})
}

// addText appends a text.
func (p *fileSplice) addText(text string) {
	if text != "" {
		p.size += len(text)
		p.pieces = append(p.pieces, splicePiece{text: text})
	}
}

// joinPieces returns the new file. It is the source itself, not a copy, if all of the source was added and nothing
// else.
func (p *fileSplice) joinPieces() []byte {
	if len(p.pieces) == 1 && p.pieces[0].to == len(p.src) && p.size == len(p.src) {
		return p.src
	}
	out := make([]byte, 0, p.size)
	for _, part := range p.pieces {
		if part.text != "" {
			out = append(out, part.text...)
		} else {
			out = append(out, p.src[part.from:part.to]...)
		}
	}
	return out
}
