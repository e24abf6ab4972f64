package hooks

import (
	"context"
	"net/http"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
)

// One transaction writes at a time, so everybody else waits for as long as it takes.
const (
	slowTxThreshold = 50 * time.Millisecond  // a longer one is logged
	maxTxDuration   = 500 * time.Millisecond // a request's is ended
)

// bindWriter labels who writes, with pprof labels, which goroutines inherit, and bounds transactions from the moment
// we serve: migrations at the start and commands may take as long as they need.
//
// Only what a user or a guest asked for is ended. A job, a cron function, a backup or a superuser's request is only
// logged, also while it goes on: if it were ended, it would begin again and never be done.
func (s *Social) bindWriter() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority, Func: labelWriter})
		db.LimitWriter(s.app, db.TransactionLimits{
			WarnAfter: slowTxThreshold,
			EndAfter:  maxTxDuration,
			MayEnd:    func() bool { kind, _ := currentWriter(); return kind == requestLabel },
			OnTooLong: func(held time.Duration, ended bool) {
				kind, who := currentWriter()
				s.app.Logger().Warn("a transaction held the writer too long", "kind", kind, "who", who,
					"ms", float64(held.Microseconds())/1000, "ended", ended)
			},
		})
		return e.Next()
	})
}

// The pprof labels that say who writes. The job runner has one more, job.ProfileLabel.
const (
	requestLabel   = "request"
	superuserLabel = "superuser"
)

// labelWriter labels the goroutine of a request that may write, and those that it starts.
func labelWriter(e *core.RequestEvent) (err error) {
	kind := requestLabel
	switch e.Request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return e.Next()
	}
	if e.HasSuperuserAuth() {
		kind = superuserLabel
	}
	route := e.Request.Pattern // without ids and queries
	if collection := e.Request.PathValue("collection"); len(collection) < 50 {
		route = strings.Replace(route, "{collection}", collection, 1)
	}
	pprof.Do(e.Request.Context(), pprof.Labels(kind, route), func(context.Context) { err = e.Next() })
	return err
}

var writerLabelPattern = regexp.MustCompile(`\b(` + requestLabel + `|` + superuserLabel + `|` + job.ProfileLabel + `): "((?:[^"\\]|\\.)*)"`)

// currentWriter returns the label of this goroutine, or empty. Go shows labels only in the first line of a stack.
func currentWriter() (kind, who string) {
	var stack [1024]byte
	head, _, _ := strings.Cut(string(stack[:runtime.Stack(stack[:], false)]), "\n")
	if found := writerLabelPattern.FindStringSubmatch(head); found != nil {
		return found[1], found[2]
	}
	return "", ""
}
