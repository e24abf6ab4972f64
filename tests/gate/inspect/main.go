// Command inspect looks for unsafe Go code, with gosec, and for log lines that would be lost. It is a tool of go vet,
// which remembers what it has inspected. gosec's own command brings the clients of several language models, which
// take minutes to build.
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
			// Tests run programs, make files that everybody may read and use seeded random numbers on purpose.
			if !strings.HasSuffix(pass.Fset.Position(found.Pos).Filename, "_test.go") {
				report(found)
			}
		}
		return inspect(pass)
	}
	unitchecker.Main(analyzer, logattr.Analyzer)
}
