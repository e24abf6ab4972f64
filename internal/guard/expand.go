package guard

import (
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/fault"
)

// guessedFanOut is how many records a relation is counted as where the collection allows more, or sets no limit.
const guessedFanOut = 10

func checkExpand(app core.App, q RecordQuery, expand string) error {
	if len(expand) > maxExpandBytes {
		return tooMuchError("expand may be at most %d bytes long.", maxExpandBytes)
	}
	paths := expandPaths(expand)
	if len(paths) > maxExpandPaths {
		return tooMuchError("expand may have at most %d paths.", maxExpandPaths)
	}
	page := maxRowsOf(q)
	rows := map[string]int{} // by path, as two paths may begin alike
	for _, path := range paths {
		if strings.Count(path, ".") >= maxExpandHops {
			return tooMuchError("expand may follow at most %d relations.", maxExpandHops)
		}
		trail := followPath(app, q, path, true)
		if trail.isBackwardToOurs() {
			return fault.BadRequest("Invalid expand.")
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
		return tooMuchError("with expand it may answer up to %d records, and at most %d are allowed. Ask for a smaller page or expand less.", total, maxAnswerRows)
	}
	return nil
}

// expandPaths returns the paths as PocketBase reads them: without spaces, and without dots around them.
func expandPaths(expand string) (paths []string) {
	for path := range strings.SplitSeq(expand, ",") {
		if path = strings.Trim(strings.ReplaceAll(path, " ", ""), "."); path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// maxRowsOf returns how many records the answer may have before anything is expanded.
func maxRowsOf(q RecordQuery) int {
	if !q.IsPage {
		return 1
	}
	n, err := strconv.Atoi(q.Query.Get(search.PerPageQueryParam))
	if err != nil || n <= 0 {
		return search.DefaultPerPage
	}
	return min(n, search.MaxPerPage)
}
