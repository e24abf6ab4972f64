//go:build !race

// Package testenv tells tests what they run in, and shows them the source.
package testenv

// Race says whether the race detector is on: everything then takes ten times the time and memory, and figures mean
// nothing.
const Race = false
