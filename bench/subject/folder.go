package subject

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/doubletap/doubletap/bench/world"
)

// SeededFolder returns a data folder that holds the world, in the tables that the kind's program creates at its first
// start. The folder is made once for each size, schema and way of seeding.
func (b Bench) SeededFolder(ctx context.Context, kind, tool string, size world.Size) (string, error) {
	s, _ := FindSubject(kind) // each kind has a subject with its name
	program, err := b.BuildSubject(s)
	if err != nil {
		return "", err
	}
	template := filepath.Join(b.Run, "template-"+s.Kind)
	if err := b.makeTemplate(ctx, s, program, template); err != nil {
		return "", err
	}
	defer os.RemoveAll(template)
	schema, err := RunTool(ctx, tool, "schema", template, s.Kind, size)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(schema, fmt.Sprint(size)...))
	name := fmt.Sprintf("%s-%d", s.Kind, size.Posts)
	dir := b.CachePath("data", fmt.Sprintf("%s-%x", name, sum[:6]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := b.removeOldFolders(name); err != nil {
		return "", err
	}
	part := filepath.Join(b.Run, "seed-"+s.Kind)
	if err := CopyFolder(template, part); err != nil {
		return "", err
	}
	if _, err := RunTool(ctx, tool, "seed", part, s.Kind, size); err != nil {
		return "", err
	}
	if err := os.MkdirAll(b.CachePath("data"), 0o755); err != nil {
		return "", err
	}
	return dir, os.Rename(part, dir)
}

// makeTemplate makes a data folder as the program's first start leaves it.
func (b Bench) makeTemplate(ctx context.Context, s Subject, program, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// with a superuser, since without one the first start prints a link and looks for a browser
	if _, err := programOutput(ctx, program, "superuser", "upsert", "bench@example.com", "0123456789", "--dir="+dir); err != nil {
		return err
	}
	s.Env = append(s.Env, "DOUBLETAP_DURABILITY=normal")
	server, err := Start(ctx, s, program, dir)
	if err != nil {
		return err
	}
	server.Stop()
	return nil
}

// keptFolders is how many seeded folders of one kind and size are kept; they take gigabytes.
const keptFolders = 2

// removeOldFolders makes room for one more folder: of those whose names begin with name, it deletes the oldest.
func (b Bench) removeOldFolders(name string) error {
	folders, err := filepath.Glob(b.CachePath("data", name+"-*"))
	if err != nil {
		return err
	}
	slices.SortFunc(folders, func(a, b string) int { return modifiedAt(b).Compare(modifiedAt(a)) })
	for i := keptFolders - 1; i < len(folders); i++ {
		if err := os.RemoveAll(folders[i]); err != nil {
			return err
		}
	}
	return nil
}

func modifiedAt(folder string) time.Time {
	info, err := os.Stat(folder)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// CopyFolder replaces the folder to by a copy of from. It waits until the copy is on the disk; otherwise the kernel
// would write it back while something is measured.
func CopyFolder(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := to + strings.TrimPrefix(path, from)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}

// RunTool runs a command of the tool on a data folder and returns what it prints.
func RunTool(ctx context.Context, tool, command, dir, kind string, size world.Size, more ...string) ([]byte, error) {
	sizeJSON, err := json.Marshal(size)
	if err != nil {
		return nil, err
	}
	return programOutput(ctx, tool, append([]string{command, "-dir", dir, "-kind", kind, "-size", string(sizeJSON)}, more...)...)
}

// UserTokens returns a fresh token for each user, by id, from a folder that is not served.
func UserTokens(ctx context.Context, tool, dir string, size world.Size) (map[string]string, error) {
	out, err := RunTool(ctx, tool, "tokens", dir, "", size)
	if err != nil {
		return nil, err
	}
	var tokens map[string]string
	return tokens, json.Unmarshal(out, &tokens)
}

func programOutput(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = plainEnvironment()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(program), args[0], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
