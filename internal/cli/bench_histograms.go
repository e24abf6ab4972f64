package cli

import (
	"bufio"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/doubletap/doubletap/internal/load"
)

// serverHistograms are the server's own histograms from /metrics: counts by name and upper bound in seconds. They are
// empty if the server does not show them.
type serverHistograms map[string]map[float64]float64

var histogramNames = map[string]string{
	`doubletap_like_seconds_bucket{method="POST",path="fast",`:    "server: like to answer, fast path",
	`doubletap_like_seconds_bucket{method="POST",path="general",`: "server: like to answer, general path",
	`doubletap_delivery_seconds_bucket{`:                          "server: commit to socket",
}

func (g *benchGroup) readHistograms() serverHistograms {
	found := serverHistograms{}
	request, err := http.NewRequest("GET", g.options.URL+"/metrics", nil)
	if err != nil {
		return found
	}
	if token := os.Getenv("DOUBLETAP_METRICS_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return found
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		for prefix, name := range histogramNames {
			rest, ok := strings.CutPrefix(lines.Text(), prefix+`le="`)
			bound, count, ok2 := strings.Cut(rest, `"} `)
			if !ok || !ok2 {
				continue
			}
			le, err := strconv.ParseFloat(bound, 64)
			n, err2 := strconv.ParseFloat(count, 64)
			if err != nil || err2 != nil {
				continue
			}
			if found[name] == nil {
				found[name] = map[float64]float64{}
			}
			found[name][le] = n
		}
	}
	return found
}

// addedSince returns what was added since before, as rows with upper bounds of the quantiles.
func (s serverHistograms) addedSince(before serverHistograms) (rows []load.Row) {
	for _, name := range []string{"server: like to answer, fast path", "server: like to answer, general path", "server: commit to socket"} {
		added := map[float64]float64{}
		for le, n := range s[name] {
			added[le] = n - before[name][le]
		}
		if total := highestCount(added); total > 0 {
			rows = append(rows, load.Row{Name: name, Metrics: load.Metrics{
				load.Count: total, load.P50: quantileBound(added, total/2), load.P99: quantileBound(added, total*0.99),
			}})
		}
	}
	return rows
}

func highestCount(counts map[float64]float64) (n float64) {
	for _, c := range counts {
		n = max(n, c)
	}
	return n
}

// quantileBound returns the smallest bound, in milliseconds, below which at least n of the counted values are.
func quantileBound(counts map[float64]float64, n float64) float64 {
	best := float64(time.Hour / time.Second)
	for le, c := range counts {
		if c >= n {
			best = min(best, le)
		}
	}
	return best * 1000
}
