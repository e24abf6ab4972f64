package web

import (
	"errors"
	"io"

	"github.com/pocketbase/pocketbase/tools/router"
)

// maxJSONDepth is how deep JSON may be nested: several times what any of our bodies needs.
const maxJSONDepth = 32

func errNestedTooDeep() *router.ApiError {
	return router.NewBadRequestError("The body is nested too deeply.", nil)
}

// boundedBody is a body that ends in an error where it is longer, or nested deeper, than it may be. Whoever decodes
// it never sees more.
type boundedBody struct {
	io.ReadCloser
	limit, left int64
	isJSON      bool
	formText    *formTextLimiter // while a form is parsed, else nil
	nested      jsonNesting
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
	if b.formText != nil {
		if _, err := b.formText.Write(p[:n]); err != nil {
			b.refused = errBodyTooLarge()
			return 0, b.refused
		}
	}
	if b.isJSON {
		if b.nested.scanJSON(p[:n]); b.nested.tooDeep {
			b.refused = errNestedTooDeep()
			return 0, b.refused
		}
	}
	if errors.Is(err, io.EOF) {
		b.resetCount()
	}
	return n, err
}

// Reread implements router.Rereader.
func (b *boundedBody) Reread() {
	if body, ok := b.ReadCloser.(router.Rereader); ok {
		body.Reread()
		b.resetCount()
	}
}

// resetCount begins to count anew: the reader below rewinds itself at its end.
func (b *boundedBody) resetCount() { b.left, b.nested = b.limit, jsonNesting{} }

// jsonNesting counts how deep JSON is nested while its bytes pass.
type jsonNesting struct {
	depth             int
	inString, escaped bool
	tooDeep           bool
}

func (n *jsonNesting) scanJSON(text []byte) {
	for _, c := range text {
		switch {
		case n.escaped:
			n.escaped = false
		case n.inString:
			n.escaped = c == '\\'
			n.inString = c != '"'
		case c == '"':
			n.inString = true
		case c == '{', c == '[':
			n.depth++
			n.tooDeep = n.tooDeep || n.depth > maxJSONDepth
		case c == '}', c == ']':
			n.depth--
		}
	}
}
