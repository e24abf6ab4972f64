// Profiled is Doubletap in a program that writes a CPU profile of the time between two signals to the file that
// BENCH_CPUPROFILE names. The product itself has no such hook. Where BENCH_HOOKS names a collection, it is the program of
// an owner who has bound hooks to that collection.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
)

func main() {
	if path := os.Getenv("BENCH_CPUPROFILE"); path != "" {
		go profileBetweenSignals(path)
	}
	app := pocketbase.NewWithConfig(hooks.Config())
	hooks.Bind(app)
	if collection := os.Getenv("BENCH_HOOKS"); collection != "" {
		app.OnRecordAfterCreateSuccess(collection).BindFunc(func(e *core.RecordEvent) error { return e.Next() })
		app.OnRecordEnrich(collection).BindFunc(func(e *core.RecordEnrichEvent) error { return e.Next() })
	}
	if err := app.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		os.Exit(1)
	}
}

// profileBetweenSignals writes a profile that starts at the first SIGUSR1 or SIGUSR2 and ends at the next.
func profileBetweenSignals(path string) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	<-signals
	file, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	<-signals
	pprof.StopCPUProfile()
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
	}
}
