//go:build race

package testenv

// Race says that the race detector is on: everything takes ten times the time
// and memory, and figures mean nothing.
const Race = true
