// Command inspect looks for what is unsafe in Go code, with gosec, and for log lines that would be lost, as a tool of go vet,
// which remembers what it has looked at. gosec's own command brings the clients of several language models, which take
// minutes to build.
//
//	go vet -vettool=PATH -gosec.exclude=G104,G115 ./...
package main

import (
	"strings"

	"github.com/securego/gosec/v2/goanalysis"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"

	"gate/logattr"
)

func main() {
	analyzer := goanalysis.Analyzer
	inspect := analyzer.Run
	analyzer.Run = func(pass *analysis.Pass) (any, error) {
		report := pass.Report
		pass.Report = func(found analysis.Diagnostic) {
			// A test runs programs, makes files that all may read and draws numbers from a seed, on purpose.
			if !strings.HasSuffix(pass.Fset.Position(found.Pos).Filename, "_test.go") {
				report(found)
			}
		}
		return inspect(pass)
	}
	unitchecker.Main(analyzer, logattr.Analyzer)
}
