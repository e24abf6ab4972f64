package hooks_test

import (
	"archive/zip"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// An upload waits on the disk of the data folder, once, and nothing of it is left.
func TestUploadsWaitInTheDataFolder(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s := hookstest.New(t)
	uploads := filepath.Join(s.App.DataDir(), ".uploads")
	if err := os.Mkdir(uploads, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(uploads, "multipart-1"), []byte("of a process that died"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.App.CreateBackup(context.Background(), "all.zip"); err != nil {
		t.Fatal(err)
	}
	backup, err := zip.OpenReader(filepath.Join(s.App.DataDir(), "backups", "all.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	if slices.ContainsFunc(backup.File, func(f *zip.File) bool { return strings.Contains(f.Name, "uploads") }) {
		t.Error("a backup has what was being uploaded")
	}

	elsewhere := t.TempDir()
	p := startProgram(t, s, "TMPDIR=") // none
	names := func(dir string) (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if left := names(uploads); len(left) > 0 {
		t.Errorf("left from before: %q", left)
	}
	upload := func(p *programProcess) (end func()) {
		connection, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprint(connection, "POST /api/collections/posts/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n",
			"Content-Type: multipart/form-data; boundary=x\r\nAuthorization: ", s.As("ada").Token, "\r\n\r\n",
			"--x\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"p.jpg\"\r\n\r\n", strings.Repeat("x", 20<<20))
		if err != nil {
			t.Fatal(err)
		}
		return func() { connection.Close() }
	}
	until := func(dir string, is func([]string) bool) []string {
		for began := time.Now(); ; {
			if found := names(dir); is(found) || time.Since(began) > time.Minute {
				return found
			}
			select {
			case err := <-p.ended:
				t.Fatal("it ended:", err)
			case <-time.After(10 * time.Millisecond): // leaves the processor to the program
			}
		}
	}
	some := func(names []string) bool { return len(names) > 0 }
	end := upload(p)
	if got := until(uploads, some); len(got) != 1 || !strings.HasPrefix(got[0], "multipart-") {
		t.Errorf("an upload is in %q", got)
	}
	end()
	if got := until(uploads, func(names []string) bool { return len(names) == 0 }); len(got) > 0 {
		t.Errorf("an upload that broke off leaves %q", got)
	}
	p.sendTerminate()
	if err := p.waitForExit(); err != nil {
		t.Fatal(err)
	}

	p = startProgram(t, s, "TMPDIR="+elsewhere)
	end = upload(p)
	if got := until(elsewhere, some); len(got) != 1 {
		t.Errorf("where the operator says: %q", got)
	}
	end()
}
