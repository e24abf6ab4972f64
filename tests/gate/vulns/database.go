package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// report is what the indexes hold of one vulnerability in the OSV format.
type report struct {
	ID       string   `json:"id"`
	Modified string   `json:"modified"`
	Aliases  []string `json:"aliases,omitempty"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
	} `json:"affected,omitempty"`
}

// vuln and module are entries of the indexes, see https://go.dev/doc/security/vuln/database.
type vuln struct {
	ID       string `json:"id"`
	Modified string `json:"modified"`
}

type module struct {
	Path  string `json:"path"`
	Vulns []vuln `json:"vulns"`
}

// writeDatabase writes a vulnerability database of the reports in source into dir, which must be empty.
func writeDatabase(source, dir string) error {
	files, err := filepath.Glob(filepath.Join(source, "GO-*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no reports in %s", source)
	}
	for _, sub := range []string{"ID", "index"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	newest, byPath, modules, reports := "", map[string]*module{}, []*module{}, []report{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "ID", r.ID+".json"), text, 0o600); err != nil {
			return err
		}
		newest = max(newest, r.Modified)
		for _, path := range r.modulePaths() {
			if byPath[path] == nil {
				byPath[path] = &module{Path: path}
				modules = append(modules, byPath[path])
			}
			byPath[path].Vulns = append(byPath[path].Vulns, vuln{r.ID, r.Modified})
		}
		reports = append(reports, report{ID: r.ID, Modified: r.Modified, Aliases: r.Aliases})
	}
	for name, index := range map[string]any{"db": map[string]string{"modified": newest}, "modules": modules, "vulns": reports} {
		text, err := json.Marshal(index)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "index", name+".json"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// modulePaths returns the paths of the modules that r is about, each once.
func (r report) modulePaths() []string {
	var paths []string
	seen := map[string]bool{}
	for _, affected := range r.Affected {
		if path := affected.Package.Name; !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
	}
	return paths
}
