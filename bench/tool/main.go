// Tool does the benchmark's work on a data folder, in a process of its own, so that no database is in the load
// generator's memory.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/doubletap/doubletap/bench/world"
)

// toolJob holds a command's arguments.
type toolJob struct {
	dir  string // data folder
	file string // its data.db
	kind string // plain, careful or doubletap
	size world.Size
	post string        // check: the post whose notifications are counted
	run  time.Duration // raw: how long each figure is measured
}

var commands = map[string]func(toolJob) error{"schema": printSchema, "seed": seedFolder, "tokens": printTokens, "check": printRows, "raw": printRawRates}

func main() {
	if err := runCommand(); err != nil {
		fmt.Fprintln(os.Stderr, "tool:", err)
		os.Exit(1)
	}
}

func runCommand() error {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		return fmt.Errorf("want a command: schema, seed, tokens, check or raw")
	}
	var j toolJob
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&j.dir, "dir", "", "data folder")
	flags.StringVar(&j.kind, "kind", "", "plain, careful or doubletap")
	flags.StringVar(&j.post, "post", "", "post whose notifications check counts")
	flags.DurationVar(&j.run, "run", time.Second, "how long raw measures each figure")
	size := flags.String("size", "{}", "the world's size as JSON")
	_ = flags.Parse(os.Args[2:]) // it exits on an error
	j.file = filepath.Join(j.dir, "data.db")
	if err := json.Unmarshal([]byte(*size), &j.size); err != nil {
		return err
	}
	return commands[os.Args[1]](j)
}

func printJSON(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }
