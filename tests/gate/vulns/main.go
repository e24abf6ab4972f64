// Command vulns looks for known vulnerabilities in a program with govulncheck. It gets their database as the Go
// module golang.org/x/vulndb, so that a machine which reaches only a module proxy can check too.
//
//	go run ./vulns VERSION PROGRAM
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: vulns VERSION-OF-THE-DATABASE PROGRAM")
		os.Exit(2)
	}
	if err := checkProgram(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "vulns:", err)
		os.Exit(1)
	}
}

func checkProgram(version, program string) error {
	source, err := downloadDatabase(version)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vulndb")
	if err != nil {
		return fmt.Errorf("make a folder for the database: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := writeDatabase(filepath.Join(source, "data", "osv"), dir); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	scan := exec.Command("go", "tool", "govulncheck", "-db=file://"+dir, "-mode=binary", program)
	scan.Stdout, scan.Stderr = os.Stdout, os.Stderr
	if err := scan.Run(); err != nil {
		return fmt.Errorf("govulncheck %s: %w", program, err)
	}
	return nil
}

// downloadDatabase downloads the database's module and returns its folder.
func downloadDatabase(version string) (string, error) {
	out, err := exec.Command("go", "mod", "download", "-json", "golang.org/x/vulndb@"+version).Output()
	var module struct{ Dir, Error string }
	if broken := json.Unmarshal(out, &module); err == nil {
		err = broken
	}
	if module.Error != "" {
		err = errors.New(module.Error)
	}
	if err != nil {
		return "", fmt.Errorf("download golang.org/x/vulndb@%s: %w", version, err)
	}
	return module.Dir, nil
}
