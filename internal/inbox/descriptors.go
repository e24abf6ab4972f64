package inbox

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// descriptorBudget reserves some of the process's file descriptors for requests. A stream holds one for as long as it
// is open, and streams that wait for events must not starve requests that wait for an answer.
type descriptorBudget struct {
	countOpen func() (used, most int, err error)

	mu         sync.Mutex // guards all below
	forStreams int        // descriptors that streams could take when they were counted
	granted    int        // descriptors given to streams since then
	countedAt  time.Time
}

// recountInterval is how long a count is valid. Where the system has to list all descriptors to count them, each new
// stream would otherwise cost as much as there are descriptors.
const recountInterval = time.Second

// reservedDescriptors returns how many descriptors streams may not take: a request needs one for itself, and those of
// the database connections that it waits for.
func reservedDescriptors(most int) int { return min(most/4, 1024) }

// grantStream reports whether there is a descriptor for one more stream, and counts it as given if so. It says yes
// when the system does not tell how many are open.
func (d *descriptorBudget) grantStream() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.granted >= d.forStreams/2 || time.Since(d.countedAt) >= recountInterval { // half: requests take some meanwhile
		used, most, err := d.countOpen()
		if err != nil {
			return true
		}
		d.forStreams, d.granted, d.countedAt = most-reservedDescriptors(most)-used, 0, time.Now()
	}
	if d.granted >= d.forStreams {
		return false
	}
	d.granted++
	return true
}

// countDescriptors returns how many files the process has open, sockets included, and how many it may have open.
func countDescriptors() (used, most int, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, 0, err
	}
	most = int(min(limit.Cur, 1<<30)) //nolint:gosec // bounded
	if runtime.GOOS == "linux" {
		if info, err := os.Stat("/proc/self/fd"); err == nil && info.Size() > 0 { //nolint:nilerr // since 6.2, at no cost; else they are counted
			return int(info.Size()), most, nil
		}
	}
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return 0, 0, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	return len(names), most, err
}
