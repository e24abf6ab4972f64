package logattr

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

func TestWhatALogLineCannotHold(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), Analyzer, "a")
}
