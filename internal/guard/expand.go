package guard

import (
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"doubletap/internal/fault"
)

// guessedFanOut stands for how many records a relation of many leads to where the collection allows more, or says nothing.
const guessedFanOut = 10

func checkExpand(app core.App, q Question, expand string) error {
	if len(expand) > maxExpandBytes {
		return tooMuch("expand may be at most %d bytes long.", maxExpandBytes)
	}
	paths := expandPaths(expand)
	if len(paths) > maxExpandPaths {
		return tooMuch("expand may have at most %d paths.", maxExpandPaths)
	}
	page := rowsOf(q)
	rows := map[string]int{} // by what is expanded, as two paths may begin alike
	for _, path := range paths {
		if strings.Count(path, ".") >= maxExpandHops {
			return tooMuch("expand may follow at most %d relations.", maxExpandHops)
		}
		trail := followPath(app, q, path, true)
		if trail.backOurs() {
			return fault.Refused("Invalid expand.")
		}
		at, prefix := page, ""
		for i, name := range strings.Split(path, ".") {
			if i < len(trail.fanOuts) {
				at *= trail.fanOuts[i]
			}
			prefix += "." + name
			rows[prefix] = at
		}
	}
	total := page
	for _, n := range rows {
		total += n
	}
	if len(rows) > 0 && total > maxAnswerRows {
		return tooMuch("with expand it may answer up to %d records, and at most %d are allowed. Ask for a smaller page or expand less.", total, maxAnswerRows)
	}
	return nil
}

// expandPaths returns the paths as PocketBase reads them: without any space, and without dots around them.
func expandPaths(expand string) (paths []string) {
	for path := range strings.SplitSeq(expand, ",") {
		if path = strings.Trim(strings.ReplaceAll(path, " ", ""), "."); path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// rowsOf returns how many records the answer may have before anything is expanded.
func rowsOf(q Question) int {
	if !q.List {
		return 1
	}
	n, err := strconv.Atoi(q.Query.Get(search.PerPageQueryParam))
	if err != nil || n <= 0 {
		return search.DefaultPerPage
	}
	return min(n, search.MaxPerPage)
}
