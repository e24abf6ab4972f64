//go:build !linux

package inbox

import "time"

// lookout is for Linux; elsewhere each line has a goroutine that listens.
type lookout struct{}

func newLookout(time.Duration) *lookout  { return nil }
func (*lookout) add(*device, *line) bool { return false }
func (*lookout) forget(*line)            {}
func (*lookout) close()                  {}
