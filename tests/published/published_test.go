// Package published tests Doubletap as those meet it who have no clone of it: as a module that they go get and go
// install.
package published

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var readmeProgram = regexp.MustCompile("(?s)```go\n(package main.*?)```")

// TestStrangersBuildOnIt gets the module from a proxy, without a replace line and with a cache that has never seen it, and builds
// the README's program, the program itself and every example. Each program says which Doubletap it has, in the same words everywhere.
func TestStrangersBuildOnIt(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	ordinary := strings.TrimSpace(runGo(t, ".", nil, "env", "GOMODCACHE"))
	env := []string{
		"GOPROXY=file://" + filepath.ToSlash(makeProxy(t, root)) + "," + strings.TrimSpace(runGo(t, ".", nil, "env", "GOPROXY")),
		"GOMODCACHE=" + makeModuleCache(t, ordinary), "GONOSUMDB=" + published.Path,
		"GOFLAGS=-mod=mod -trimpath -buildvcs=false -modcacherw", "GOWORK=off", "CGO_ENABLED=0", // as make build, whose cache it shares
	}
	sums := readFile(t, filepath.Join(root, "go.sum")) // of the other modules, so that nobody has to be asked for them
	t.Run("the README's program", func(t *testing.T) {
		program := readmeProgram.FindStringSubmatch(readFile(t, filepath.Join(root, "README.md")))
		if program == nil {
			t.Fatal("README.md has no Go program")
		}
		dir := t.TempDir()
		writeFiles(t, dir, map[string]string{"main.go": program[1], "go.mod": "module example.com/app\n\ngo 1.27\n", "go.sum": sums})
		runGo(t, dir, env, "get", published.Path+"@"+published.Version)
		runGo(t, dir, env, "build", "-o", "app", ".")
		expectOneVersion(t, filepath.Join(dir, "app"))
	})
	t.Run("the program itself", func(t *testing.T) {
		dir := t.TempDir()
		runGo(t, dir, append(env, "GOBIN="+dir, "GOFLAGS=-trimpath -buildvcs=false -modcacherw"), "install", published.Path+"@"+published.Version)
		expectOneVersion(t, filepath.Join(dir, "doubletap"))
	})
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*", "go.mod"))
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples: ", err)
	}
	for _, example := range examples {
		t.Run("example "+filepath.Base(filepath.Dir(example)), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Dir(example))); err != nil {
				t.Fatal(err)
			}
			runGo(t, dir, env, "mod", "edit", "-dropreplace="+published.Path, "-require="+published.Path+"@"+published.Version)
			runGo(t, dir, env, "build", "-o", os.DevNull, "./...")
			runGo(t, dir, env, "vet", "./...") // and its tests compile, with the public kit
		})
	}
}

// expectOneVersion fails the test unless the program says in each way that it has the published version.
func expectOneVersion(t *testing.T, program string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	if flag := runProgram(t, program, "--version"); !strings.HasSuffix(flag, " version "+published.Version+"\n") {
		t.Errorf("--version: %q", flag)
	}
	var said struct{ Version string }
	if text := runProgram(t, program, "version", "--json", "--dir="+folder); json.Unmarshal([]byte(text), &said) != nil || said.Version != published.Version {
		t.Errorf("version --json: %s", text)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("version made a data folder")
	}
	url := serve(t, program, folder)
	answer, err := http.Get(url + "/api/v1/config")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said.Version = ""
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil || said.Version != published.Version {
		t.Errorf("/api/v1/config: version %q, error %v", said.Version, err)
	}
}

// serve starts the program and returns its address once it listens. It ends with the test.
func serve(t *testing.T, program, folder string) (url string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "serve", "--dir="+folder, "--http="+address)
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	for lines := bufio.NewScanner(output); lines.Scan(); { // until the welcome
		if strings.Contains(lines.Text(), address) {
			return "http://" + address
		}
	}
	t.Fatal("the program ended")
	return ""
}

func runProgram(t *testing.T, program string, args ...string) string {
	t.Helper()
	command := exec.Command(program, args...)
	command.Dir = t.TempDir()
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", filepath.Base(program), strings.Join(args, " "), err, output)
	}
	return string(output)
}

func runGo(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	command := exec.Command("go", args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
