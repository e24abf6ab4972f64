package web

import (
	"io"
	"mime"
	"mime/multipart"
	"sync"
)

// formTextLimiter bounds the text of a form while the form is read: net/http parses up to 10 MB of it into memory
// before anybody can look at it.
type formTextLimiter struct {
	pipe    *io.PipeWriter
	reading sync.WaitGroup
}

// limitFormText returns what all bytes of a form of the kind are to be written to; close it after the last. It
// returns nil if the kind is none of a form.
func limitFormText(kind string, limit int64) *formTextLimiter {
	_, parameters, err := mime.ParseMediaType(kind)
	if err != nil || parameters["boundary"] == "" {
		return nil // nor does net/http find a form
	}
	read, written := io.Pipe()
	limiter := &formTextLimiter{pipe: written}
	limiter.reading.Go(func() {
		parts := multipart.NewReader(read, parameters["boundary"])
		for left := limit; ; {
			part, err := parts.NextRawPart()
			if err != nil { // the end, or something that net/http refuses too
				break
			}
			if part.FileName() != "" {
				continue
			}
			n, _ := io.Copy(io.Discard, io.LimitReader(part, left+1))
			if left -= n + int64(len(part.FormName())); left < 0 {
				_ = read.CloseWithError(errBodyTooLarge())
				return
			}
		}
		_, _ = io.Copy(io.Discard, read)
	})
	return limiter
}

// Write implements io.Writer. It fails when there is too much text.
func (f *formTextLimiter) Write(p []byte) (int, error) { return f.pipe.Write(p) }

func (f *formTextLimiter) closePipe() {
	if f != nil {
		_ = f.pipe.Close()
		f.reading.Wait()
	}
}
