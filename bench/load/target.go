// Package load is the benchmark's load generator: cases that are run against any server that is up, given its address and
// people with tokens. It knows nothing of how the server is started or filled, and uses only the standard library, so
// that `doubletap bench` can use it too.
package load

import (
	"context"
	"sync/atomic"
	"time"
)

// Person is somebody who is signed in.
type Person struct{ ID, Token string }

// Owner is a person whose posts no other case touches.
type Owner struct {
	Person
	Posts []string
	// Liker returns the nth person who does not like Posts[post] yet, and false when there are no more.
	Liker func(post, n int) (Person, bool)
}

// Target is a running server, how its clients speak, and in whose name.
type Target struct {
	Address string // host:port
	API     API
	Readers []Person                // who look at feeds, trays and grids, comment and post
	Others  []Person                // who are merely connected; none of them an owner
	Posts   []string                // to comment on
	Like    func() (Person, string) // the next like that nobody gave yet, of a post that is no owner's
	Owner   func() Owner            // the next owner
	CPU     func() time.Duration    // that the server has used so far; nil where nobody can tell

	// What the server has acknowledged so far, to compare with what it stored.
	Likes, Comments, Uploads atomic.Int64
	// UnknownWrites counts the writes that failed: they may be stored or not.
	UnknownWrites atomic.Int64
}

// Metrics are the figures of one run of one case, by the names below.
type Metrics map[string]float64

// The names of metrics. What a case has no figure for, it leaves out.
const (
	Rate         = "rate"    // operations in a second
	P50          = "p50"     // milliseconds
	P99          = "p99"     // milliseconds
	CPU          = "cpu"     // microseconds of the server's CPU for one operation
	Count        = "n"       // operations that the figures are of
	Failed       = "failed"  // operations that went wrong
	Refused      = "refused" // operations that the server put off with 429 or 503, which were tried again
	Lost         = "lost"    // notifications that never came
	Probes       = "probes"  // operations that the times are of, where they are not all
	Misdelivered = "strange" // messages that reached somebody they do not concern
)

// Options say how long a case is measured.
type Options struct {
	Warm, Run time.Duration
	Listeners []int // others connected, in the cases of notifications
	Samples   int   // notifications awaited one by one
	Likers    int   // of the one post that many like at once
	Photo     []byte
	Photos    int // uploads
}

// Case is one thing that is measured.
type Case struct {
	Name   string
	Writes bool // something that can be checked afterwards
	Run    func(ctx context.Context, t *Target, o Options) ([]Row, error)
}

// Row is one line of figures; most cases have one, of their own name.
type Row struct {
	Name    string
	Metrics Metrics
}
