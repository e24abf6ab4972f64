// Package load is the benchmark's load generator: cases that run against any running server, given its address and
// people with tokens. It does not know how the server is started or filled, and uses only the standard library, so
// that `doubletap bench` can use it too.
package load

import (
	"context"
	"sync/atomic"
	"time"
)

// Person is a user who is signed in.
type Person struct{ ID, Token string }

// Owner is a person whose posts no other case uses.
type Owner struct {
	Person
	Posts []string
	// Liker returns the nth person who does not like Posts[post] yet, and false if there are no more.
	Liker func(post, n int) (Person, bool)
}

// Target is a running server, with its API and the people and posts that requests are about.
type Target struct {
	Address string // host:port
	API     API
	Readers []Person                // people who look at feeds, trays and grids, comment and post
	Others  []Person                // people who are only connected; none is an owner
	Posts   []string                // posts to comment on
	Like    func() (Person, string) // the next like that was not yet given, of a post that is not an owner's
	Owner   func() Owner            // the next owner
	CPU     func() time.Duration    // CPU time that the server has used so far; nil if unknown

	// What the server has acknowledged so far, to be compared with what it stored.
	Likes, Comments, Uploads atomic.Int64
	// UnknownWrites counts the writes that failed and may be stored or not.
	UnknownWrites atomic.Int64
}

// Metrics are the figures of one run of one case, by the names below.
type Metrics map[string]float64

// The names of metrics. A case leaves out those that it has no figure for.
const (
	Rate         = "rate"    // operations per second
	P50          = "p50"     // milliseconds
	P99          = "p99"     // milliseconds
	CPU          = "cpu"     // microseconds of the server's CPU for one operation
	Count        = "n"       // operations that were measured
	Failed       = "failed"  // operations that failed
	Refused      = "refused" // answers of 429 or 503, after which the operation was tried again
	Lost         = "lost"    // notifications that never came
	Probes       = "probes"  // operations that the times are of, if not of all
	Misdelivered = "strange" // messages that reached a person they are not for
)

// Options say how long and with how much a case is measured.
type Options struct {
	Warm, Run time.Duration
	Listeners []int // how many others are connected, in the cases of notifications
	Samples   int   // notifications that are awaited one by one
	Likers    int   // how many like the one post of the burst
	Photo     []byte
	Photos    int // how many uploads
}

// Case is one thing that the benchmark measures.
type Case struct {
	Name   string
	Writes bool // whether it stores rows, which can be checked afterwards
	Run    func(ctx context.Context, t *Target, o Options) ([]Row, error)
}

// Row is one line of figures. Most cases have one row, with the case's name.
type Row struct {
	Name    string
	Metrics Metrics
}
