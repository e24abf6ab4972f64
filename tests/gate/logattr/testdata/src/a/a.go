package a

import (
	"log/slog"
	"time"
)

type report struct{ Took time.Duration }

func log(l *slog.Logger, took time.Duration, at time.Time, err error, done chan int) {
	l.Warn("slow", "took", took)                 // want `time.Duration`
	l.Info("slow", slog.Any("took", took))       // want `time.Duration`
	l.With("took", took).Info("slow")            // want `time.Duration`
	l.Info("slow", "all", []time.Duration{took}) // want `time.Duration`
	l.Info("slow", "report", report{took})       // want `time.Duration`
	l.Info("slow", slog.Duration("took", took))  // want `time.Duration`
	slog.Info("slow", "done", done)              // want `a channel`
	l.Info("fine", "ms", took.Milliseconds(), "at", at, "err", err, "text", took.String(), "ids", []string{"a"})
}
