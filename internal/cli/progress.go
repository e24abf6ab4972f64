package cli

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress reports how far a command is: on a terminal in one line that it rewrites, otherwise in a new line every 5
// seconds.
type progress struct {
	out        io.Writer
	isTerminal bool
	what       string
	began      time.Time
	last       time.Time
}

// newProgress returns a progress on standard error, since standard output is for the command's results.
func newProgress(what string) *progress {
	info, err := os.Stderr.Stat()
	now := time.Now()
	return &progress{out: os.Stderr, isTerminal: err == nil && info.Mode()&os.ModeCharDevice != 0, what: what, began: now, last: now}
}

// reportCount reports that done of total are done.
func (p *progress) reportCount(done, total int) {
	pause := 5 * time.Second
	if p.isTerminal {
		pause = 100 * time.Millisecond
	}
	now := time.Now()
	over := done == total
	if !over && now.Sub(p.last) < pause {
		return
	}
	p.last = now
	line := fmt.Sprintf("%s: %d of %d (%d%%) after %s", p.what, done, total, 100*done/max(total, 1), now.Sub(p.began).Round(time.Second/10))
	if p.isTerminal {
		line = "\r\x1b[K" + line
	}
	if !p.isTerminal || over {
		line += "\n"
	}
	_, _ = io.WriteString(p.out, line) // nothing depends on it
}

// reportWork reports what is being worked on, and how much of it is done.
func (p *progress) reportWork(what string, done int) {
	pause := 5 * time.Second
	if p.isTerminal {
		pause = 100 * time.Millisecond
	}
	now := time.Now()
	if now.Sub(p.last) < pause {
		return
	}
	p.last = now
	line := fmt.Sprintf("%s: %s, %d rows, after %s", p.what, what, done, now.Sub(p.began).Round(time.Second/10))
	if p.isTerminal {
		line = "\r\x1b[K" + line
	} else {
		line += "\n"
	}
	_, _ = io.WriteString(p.out, line) // nothing depends on it
}

// endLine clears the line that is rewritten on a terminal.
func (p *progress) endLine() {
	if p.isTerminal {
		_, _ = io.WriteString(p.out, "\r\x1b[K")
	}
}
