package inbox

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// idleWatcher notices for all lines together that a client is gone, or that an answer has lasted long enough:
// a line at rest is then a socket and some words, where a goroutine that waits to read would double it.
type idleWatcher struct {
	epoll         *os.File // waited for by Go's poller, as sockets are
	raw           syscall.RawConn
	checkInterval time.Duration // between two looks at the time

	mu         sync.Mutex // guards all below
	devices    map[uint64]*device
	lastNumber uint64 // of the device that came last
}

// newIdleWatcher returns nil where the system does not let it look out.
func newIdleWatcher(round time.Duration) *idleWatcher {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	_ = syscall.SetNonblock(fd, true) // else deadlines are refused
	o := &idleWatcher{epoll: os.NewFile(uintptr(fd), "epoll"), checkInterval: round, devices: map[uint64]*device{}}
	if o.raw, err = o.epoll.SyscallConn(); err == nil {
		err = o.epoll.SetReadDeadline(time.Now().Add(round))
	}
	if err != nil {
		o.epoll.Close()
		return nil
	}
	go o.watchConns()
	return o
}

// addConn looks after the device's line from now on, unless it is more than a socket.
func (o *idleWatcher) addConn(d *device, l *streamConn) bool {
	conn, ok := l.Conn.(syscall.Conn)
	if o == nil || !ok {
		return false
	}
	socket, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lastNumber++
	// the kernel hands back the number, which unlike the socket's is never another's
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: int32(o.lastNumber), Pad: int32(o.lastNumber >> 32)}
	errs := [3]error{}
	errs[0] = o.raw.Control(func(epoll uintptr) {
		errs[1] = socket.Control(func(fd uintptr) {
			errs[2] = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_ADD, int(fd), &event)
		})
	})
	if errors.Join(errs[:]...) != nil {
		return false
	}
	o.devices[o.lastNumber] = d
	l.watchNumber = o.lastNumber
	return true
}

// forgetConn looks no more after a line whose socket is closed.
func (o *idleWatcher) forgetConn(l *streamConn) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.devices, l.watchNumber)
}

func (o *idleWatcher) stopWatching() {
	if o != nil {
		o.epoll.Close()
	}
}

func (o *idleWatcher) watchConns() {
	events := make([]syscall.EpollEvent, 128)
	for {
		n := 0
		err := o.raw.Read(func(epoll uintptr) bool {
			n, _ = syscall.EpollWait(int(epoll), events, 0)
			return n > 0
		})
		o.mu.Lock()
		var over []*device
		for _, e := range events[:max(n, 0)] {
			if d := o.devices[uint64(uint32(e.Fd))|uint64(uint32(e.Pad))<<32]; d != nil { // who says something does not wait for events
				over = append(over, d)
			}
		}
		now := time.Now()
		timeout := errors.Is(err, os.ErrDeadlineExceeded)
		if timeout {
			for _, d := range o.devices {
				if !now.Before(d.conn.endTime(d)) {
					over = append(over, d)
				}
			}
			err = o.epoll.SetReadDeadline(now.Add(o.checkInterval))
		}
		o.mu.Unlock()
		for _, d := range over {
			d.disconnect()
		}
		if err != nil {
			return // closed
		}
	}
}
