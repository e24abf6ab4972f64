//go:build race

package testenv

// Race says whether the race detector is on: everything then takes ten times the time and memory, and figures mean
// nothing.
const Race = true
