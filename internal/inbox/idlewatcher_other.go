//go:build !linux

package inbox

import "time"

// idleWatcher is for Linux; elsewhere each connection has a goroutine that waits for its end.
type idleWatcher struct{}

func newIdleWatcher(time.Duration) *idleWatcher        { return nil }
func (*idleWatcher) addConn(*device, *streamConn) bool { return false }
func (*idleWatcher) forgetConn(*streamConn)            {}
func (*idleWatcher) stopWatching()                     {}
