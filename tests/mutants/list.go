package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one fault put into the code on purpose, and the test that has to notice it.
type mutant struct {
	list string // the file that it is written in, and the line
	why  string // what breaks
	file string // from the repository's root
	text string // stands in the file once
	with string // is put in its place
	env  []string
	test []string // arguments of go test
}

// readLists reads all lists in a folder. A mutant is a paragraph:
//
//	# what breaks
//	internal/inbox/tray.go
//	- the text in the file, as many lines as it needs
//	+ what it becomes; no such line takes the text away
//	test ./internal/inbox -run TestTray
//
// A variable of the environment may stand before the package.
func readLists(dir string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		line := 1
		for paragraph := range strings.SplitSeq(string(content), "\n\n") {
			begin := line
			line += strings.Count(paragraph, "\n") + 2
			if strings.TrimSpace(paragraph) == "" {
				continue
			}
			m, err := parseMutant(paragraph)
			m.list = fmt.Sprintf("%s:%d", filepath.Base(file), begin)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.list, err)
			}
			all = append(all, m)
		}
	}
	return all, nil
}

func parseMutant(paragraph string) (m mutant, err error) {
	var text, with []string
	for line := range strings.SplitSeq(strings.Trim(paragraph, "\n"), "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "#":
			m.why += strings.TrimPrefix(" "+rest, cmp.Or(m.why, " "))
		case "-":
			text = append(text, rest)
		case "+":
			with = append(with, rest)
		case "test":
			for _, word := range strings.Fields(rest) {
				if len(m.test) == 0 && strings.Contains(word, "=") {
					m.env = append(m.env, word)
				} else {
					m.test = append(m.test, word)
				}
			}
		default:
			m.file = line
		}
	}
	m.text, m.with = strings.Join(text, "\n"), strings.Join(with, "\n")
	if m.why == "" || m.file == "" || m.text == "" || len(m.test) == 0 || m.text == m.with {
		return m, fmt.Errorf("a mutant needs a reason, a file, a text, another in its place and a test: %q", paragraph)
	}
	return m, nil
}

// pattern is which tests of the package have to notice the mutant.
func (m mutant) pattern() string {
	if len(m.test) > 1 {
		return m.test[len(m.test)-1]
	}
	return "."
}

// where is the environment and the package of the mutant's test.
func (m mutant) where() string { return strings.Join(append(slices.Clone(m.env), m.test[0]), " ") }

// mutate returns the file with the fault in it. A text that is not there, or there twice, is an error: the code has
// moved on, and the list must follow.
func (m mutant) mutate(root string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.list, err)
	}
	if n := strings.Count(string(content), m.text); n != 1 {
		return "", fmt.Errorf("%s: %s has the text %d times, not once: %q", m.list, m.file, n, m.text)
	}
	return strings.Replace(string(content), m.text, m.with, 1), nil
}
