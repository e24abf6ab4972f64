// Tool does what the benchmark wants done with a data folder, in a process of its own, so that no database lies
// in the load generator's memory.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"doubletap/bench/world"
)

// job is what a command is told.
type job struct {
	dir  string // data folder
	file string // its data.db
	kind string // plain, careful or doubletap
	size world.Size
	post string        // check: the post of which notifications are counted
	run  time.Duration // raw: how long each figure is measured
}

var commands = map[string]func(job) error{"schema": schema, "seed": fill, "tokens": tokens, "check": check, "raw": raw}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tool:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		return fmt.Errorf("want a command: schema, seed, tokens, check or raw")
	}
	var j job
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&j.dir, "dir", "", "data folder")
	flags.StringVar(&j.kind, "kind", "", "plain, careful or doubletap")
	flags.StringVar(&j.post, "post", "", "post whose notifications check counts")
	flags.DurationVar(&j.run, "run", time.Second, "how long raw measures each figure")
	size := flags.String("size", "{}", "the world's size as JSON")
	_ = flags.Parse(os.Args[2:]) // it exits by itself
	j.file = filepath.Join(j.dir, "data.db")
	if err := json.Unmarshal([]byte(*size), &j.size); err != nil {
		return err
	}
	return commands[os.Args[1]](j)
}

func print(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }
