package hooks

import (
	"io"

	"github.com/pocketbase/pocketbase/tools/router"
)

// jsonDepth is how deep JSON may be nested, several times what any of our bodies needs.
const jsonDepth = 32

func errTooDeep() *router.ApiError {
	return router.NewBadRequestError("The body is nested too deeply.", nil)
}

// boundedBody is a body that ends in an error where it is longer, or nested deeper, than it may be. Whoever decodes it never
// sees more.
type boundedBody struct {
	io.ReadCloser
	limit, left int64
	json        bool
	text        *formText // of a form that is being parsed, or nil
	nested      nesting
	refused     *router.ApiError
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.refused != nil {
		return 0, b.refused
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		b.refused = errBodyTooLarge()
		return 0, b.refused
	}
	b.left -= int64(n)
	if b.text != nil {
		if _, err := b.text.Write(p[:n]); err != nil {
			b.refused = errBodyTooLarge()
			return 0, b.refused
		}
	}
	if b.json {
		if b.nested.scan(p[:n]); b.nested.tooDeep {
			b.refused = errTooDeep()
			return 0, b.refused
		}
	}
	if err == io.EOF {
		b.again()
	}
	return n, err
}

// Reread implements router.Rereader.
func (b *boundedBody) Reread() {
	if body, ok := b.ReadCloser.(router.Rereader); ok {
		body.Reread()
		b.again()
	}
}

// again begins to count anew, as what is below rewinds itself at its end.
func (b *boundedBody) again() { b.left, b.nested = b.limit, nesting{} }

// nesting follows JSON as it passes.
type nesting struct {
	depth           int
	quoted, escaped bool
	tooDeep         bool
}

func (n *nesting) scan(text []byte) {
	for _, c := range text {
		switch {
		case n.escaped:
			n.escaped = false
		case n.quoted:
			n.escaped = c == '\\'
			n.quoted = c != '"'
		case c == '"':
			n.quoted = true
		case c == '{', c == '[':
			n.depth++
			n.tooDeep = n.tooDeep || n.depth > jsonDepth
		case c == '}', c == ']':
			n.depth--
		}
	}
}
