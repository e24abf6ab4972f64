package inbox

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// idleWatcher notices, for all connections together, that a client is gone or that a response has lasted long enough.
// An idle connection then costs a socket and a few words; a goroutine that waits to read would double that.
type idleWatcher struct {
	epoll         *os.File // Go's poller waits for it, as for sockets
	raw           syscall.RawConn
	checkInterval time.Duration // between two checks of the time

	mu         sync.Mutex // guards all below
	devices    map[uint64]*device
	lastNumber uint64 // of the device that was added last

	watching sync.WaitGroup
}

// newIdleWatcher returns nil where the system offers no epoll. A nil watcher watches nothing.
func newIdleWatcher(checkInterval time.Duration) *idleWatcher {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	_ = syscall.SetNonblock(fd, true) // else deadlines are refused
	w := &idleWatcher{epoll: os.NewFile(uintptr(fd), "epoll"), checkInterval: checkInterval, devices: map[uint64]*device{}}
	if w.raw, err = w.epoll.SyscallConn(); err == nil {
		err = w.epoll.SetReadDeadline(time.Now().Add(checkInterval))
	}
	if err != nil {
		w.epoll.Close()
		return nil
	}
	w.watching.Go(w.watchConns)
	return w
}

// addConn watches the device's connection from now on. It returns false where it cannot, as when the connection is
// more than a socket.
func (w *idleWatcher) addConn(d *device, c *streamConn) bool {
	conn, ok := c.Conn.(syscall.Conn)
	if w == nil || !ok {
		return false
	}
	socket, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastNumber++
	// the kernel hands back this number, which unlike a descriptor's is never used again
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: int32(w.lastNumber), Pad: int32(w.lastNumber >> 32)}
	errs := [3]error{}
	errs[0] = w.raw.Control(func(epoll uintptr) {
		errs[1] = socket.Control(func(fd uintptr) {
			errs[2] = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_ADD, int(fd), &event)
		})
	})
	if errors.Join(errs[:]...) != nil {
		return false
	}
	w.devices[w.lastNumber] = d
	c.watchNumber = w.lastNumber
	return true
}

// forgetConn stops watching a connection whose socket is closed.
func (w *idleWatcher) forgetConn(c *streamConn) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.devices, c.watchNumber)
}

// stopWatching returns when nothing is watched any more.
func (w *idleWatcher) stopWatching() {
	if w != nil {
		w.epoll.Close()
		w.watching.Wait()
	}
}

func (w *idleWatcher) watchConns() {
	events := make([]syscall.EpollEvent, 128)
	for {
		n := 0
		err := w.raw.Read(func(epoll uintptr) bool {
			n, _ = syscall.EpollWait(int(epoll), events, 0)
			return n > 0
		})
		w.mu.Lock()
		var over []*device
		for _, e := range events[:max(n, 0)] {
			if d := w.devices[uint64(uint32(e.Fd))|uint64(uint32(e.Pad))<<32]; d != nil { // a client that sends anything is not waiting for events
				over = append(over, d)
			}
		}
		now := time.Now()
		timeout := errors.Is(err, os.ErrDeadlineExceeded)
		if timeout {
			for _, d := range w.devices {
				if !now.Before(d.conn.endTime(d)) {
					over = append(over, d)
				}
			}
			err = w.epoll.SetReadDeadline(now.Add(w.checkInterval))
		}
		w.mu.Unlock()
		for _, d := range over {
			d.disconnect()
		}
		if err != nil {
			return // closed
		}
	}
}
