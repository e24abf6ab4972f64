package door

// parts is a file put together from pieces of another, in order.
type parts struct {
	src  []byte
	list []piece
	size int
}

// piece is a range of the source, or a text.
type piece struct {
	from, to int
	text     string
}

// add appends a range of the source.
func (p *parts) add(from, to int) {
	p.size += to - from
	if n := len(p.list); n > 0 && p.list[n-1].to == from && p.list[n-1].text == "" {
		p.list[n-1].to = to
		return
	}
	p.list = append(p.list, piece{from: from, to: to})
}

// put appends a text.
func (p *parts) put(text string) {
	if text != "" {
		p.size += len(text)
		p.list = append(p.list, piece{text: text})
	}
}

// join returns the new file, which is the source itself if all of it was added.
func (p *parts) join() []byte {
	if len(p.list) == 1 && p.list[0].to == len(p.src) && p.size == len(p.src) {
		return p.src
	}
	out := make([]byte, 0, p.size)
	for _, part := range p.list {
		if part.text != "" {
			out = append(out, part.text...)
		} else {
			out = append(out, p.src[part.from:part.to]...)
		}
	}
	return out
}
