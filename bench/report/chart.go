package report

import (
	"fmt"
	"html"
	"math"
	"os"
	"strings"

	"github.com/doubletap/doubletap/internal/load"
)

// chartRows are the rows of the chart, as far as they were measured.
var chartRows = []struct {
	name, metric, label string
}{
	{"likes-64", load.Rate, "likes a second, 64 at once"},
	{"likes-64", load.P99, "the slowest hundredth of them, ms"},
	{"likes-64", load.CPU, "CPU for a like, µs"},
	{"notify-1000-load", load.Rate, "likes a second, 1,000 people connected"},
	{"notify-1000-load", load.P50, "like → notification then, ms"},
	{"feed-1", load.P50, "feed page, ms"},
	{"feed-8", load.CPU, "CPU for a feed page, µs"},
	{"start", Listener, "memory for a connection, KB"},
}

// The chart's dimensions in pixels.
const (
	width, labels, right = 820, 290, 150 // the whole width, that of the text on the left and that of the text on the right
	rowHeight, barHeight = 46, 13
	top, bottom          = 64, 34
)

// WriteChart writes an SVG that shows how many times as good as careful our own subject and plain are, on a scale
// where each step to the right is ten times better. It is readable on light and dark ground. It writes nothing if
// nothing can be compared.
func (r *Report) WriteChart(file string) error {
	text := r.renderChart()
	if text == "" {
		return nil // nothing to compare was measured
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

func (r *Report) renderChart() string {
	var rows []chartRow
	for _, b := range chartRows {
		c := columnOfMetric(b.metric)
		if base, ok := r.FigureOf(b.name, b.metric, "careful"); ok && base > 0 {
			row := chartRow{label: b.label, base: base}
			for i, name := range []string{ownSubject, "plain"} {
				if value, ok := r.FigureOf(b.name, b.metric, name); ok && value > 0 {
					row.value[i], row.ratio[i] = value, c.improvement(value, base)
				}
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return ""
	}
	s := chartScaleOf(rows)
	height := top + len(rows)*rowHeight + bottom
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="How many times as good as careful PocketBase">
<style>
text{font:13px system-ui,sans-serif;fill:#1f2328}.s{font-size:11px;fill:#59636e}.h{font-size:15px;font-weight:600}.g{stroke:#d1d9e0}.one{stroke:#59636e}.o{fill:#d1246b}.p{fill:#8c959f}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.s{fill:#9198a1}.g{stroke:#3d444d}.one{stroke:#9198a1}.o{fill:#f778a8}.p{fill:#6e7681}}
</style>
<text class="h" x="0" y="18">Doubletap beside PocketBase: how many times as good</text>
<rect class="o" x="0" y="32" width="11" height="11"/><text class="s" x="16" y="42">Doubletap</text>
<rect class="p" x="90" y="32" width="11" height="11"/><text class="s" x="106" y="42">PocketBase as documented</text>
<text class="s" x="%d" y="42">1× = PocketBase as an expert writes it</text>
`, width, height, labels)
	for n := math.Ceil(s.low); n <= s.high; n++ {
		class := "g"
		if n == 0 {
			class = "one"
		}
		x := s.xPosition(math.Pow(10, n))
		fmt.Fprintf(&svg, `<line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/><text class="s" x="%.1f" y="%d" text-anchor="middle">%s×</text>`+"\n",
			class, x, x, top-6, height-bottom, x, height-bottom+16, strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", math.Pow(10, n)), "0"), "."))
	}
	for i, row := range rows {
		row.drawRow(&svg, s, top+i*rowHeight)
	}
	fmt.Fprintf(&svg, `<text class="s" x="0" y="%d">%d cores, load generator included · %s</text>`+"\n</svg>\n", height-6, r.Machine.Cores, html.EscapeString(r.Size.String()))
	return svg.String()
}

// chartRow is one row of the chart: careful's figure as base, and those of our own subject and plain with their
// ratios to it.
type chartRow struct {
	label        string
	base         float64
	value, ratio [2]float64
}

func (b chartRow) drawRow(svg *strings.Builder, s chartScale, y int) {
	fmt.Fprintf(svg, `<text x="0" y="%d">%s</text><text class="s" x="0" y="%d">1× is %s</text>`+"\n", y+12, html.EscapeString(b.label), y+27, formatNumber(b.base))
	for i, class := range []string{"o", "p"} {
		if b.ratio[i] == 0 {
			continue
		}
		at := y + i*(barHeight+2)
		from, to := s.xPosition(1), s.xPosition(b.ratio[i])
		fmt.Fprintf(svg, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d" rx="2"/><text class="s" x="%.1f" y="%d">%s×  (%s)</text>`+"\n",
			class, min(from, to), at, max(math.Abs(to-from), 1.5), barHeight, max(from, to)+5, at+barHeight-3, formatNumber(b.ratio[i]), formatNumber(b.value[i]))
	}
}

// chartScale places ratios on the chart; low and high are exponents of ten.
type chartScale struct{ low, high float64 }

func chartScaleOf(rows []chartRow) chartScale {
	s := chartScale{low: -0.3, high: 1}
	for _, row := range rows {
		for _, ratio := range row.ratio {
			if ratio > 0 {
				s.low, s.high = min(s.low, math.Log10(ratio)-0.1), max(s.high, math.Log10(ratio)+0.05)
			}
		}
	}
	return s
}

func (s chartScale) xPosition(ratio float64) float64 {
	return labels + (math.Log10(ratio)-s.low)/(s.high-s.low)*(width-labels-right)
}

func columnOfMetric(metric string) column {
	for _, c := range columns {
		if c.metric == metric {
			return c
		}
	}
	return column{metric: metric}
}
