package main

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// keptRun is what a run leaves for the next: the tests that were built and the verdicts. It holds as long as no file of
// the repository changes, so that a run that was interrupted goes on where it ended.
type keptRun struct {
	dir      string
	verdicts map[string]string // by the mutant's place in the lists
}

// openRun opens the folder, within dir, of the repository as it is now, and removes those of what it was before.
func openRun(root, dir string) (*keptRun, error) {
	sum, err := sumOfFiles(root)
	if err != nil {
		return nil, err
	}
	repository := filepath.Join(dir, fmt.Sprintf("%x-", sha256.Sum256([]byte(root)))[56:])
	k := &keptRun{dir: repository + sum[:16], verdicts: map[string]string{}}
	former, err := filepath.Glob(repository + "*")
	for _, folder := range former {
		if folder != k.dir {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}
	if err := errors.Join(err, os.MkdirAll(k.dir, 0o700)); err != nil {
		return nil, err
	}
	file, err := os.Open(k.path())
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if list, verdict, ok := strings.Cut(lines.Text(), " "); ok {
			k.verdicts[list] = verdict
		}
	}
	return k, nil
}

func (k *keptRun) path() string { return filepath.Join(k.dir, "verdicts") }

// add keeps a verdict at once.
func (k *keptRun) add(list, verdict string) error {
	k.verdicts[list] = verdict
	file, err := os.OpenFile(k.path(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s %s\n", list, verdict)
	return errors.Join(err, file.Close())
}

// sumOfFiles is a sum of all files of the repository that git does not ignore.
func sumOfFiles(root string) (string, error) {
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("list the files of %s: %w", root, err)
	}
	sum := sha256.New()
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s\n", name, len(content), content)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}
