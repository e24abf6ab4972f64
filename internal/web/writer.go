package web

import (
	"context"
	"net/http"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/job"
)

// The pprof labels that say who writes. The job runner has one more, job.ProfileLabel.
const (
	RequestLabel   = "request"
	superuserLabel = "superuser"
)

// LabelWriter labels the goroutine of a request that may write, and those that it starts.
func LabelWriter(e *core.RequestEvent) (err error) {
	kind := RequestLabel
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

var writerLabelPattern = regexp.MustCompile(`\b(` + RequestLabel + `|` + superuserLabel + `|` + job.ProfileLabel + `): "((?:[^"\\]|\\.)*)"`)

// CurrentWriter returns the label of this goroutine, or empty. Go shows labels only in the first line of a stack.
func CurrentWriter() (kind, who string) {
	var stack [1024]byte
	head, _, _ := strings.Cut(string(stack[:runtime.Stack(stack[:], false)]), "\n")
	if found := writerLabelPattern.FindStringSubmatch(head); found != nil {
		return found[1], found[2]
	}
	return "", ""
}
