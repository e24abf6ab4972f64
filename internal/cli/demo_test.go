package cli_test

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/demo"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestDemoIsMadeOnce(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.Open(t, t.TempDir())
	made, err := demo.Create(context.Background(), s.App, nil)
	if err != nil || !made {
		t.Fatalf("the first start made it: %v, %v", made, err)
	}
	expectHealthy(t, s.App)
	for name, least := range map[string]int{"ada": 10, "bob": 5} {
		if n := len(s.As(name).List("notifications", "perPage=100")); n < least {
			t.Errorf("%s has %d notifications, want %d or more", name, n, least)
		}
		if n := len(s.As(name).List("feed", "sort=-at,-post&perPage=100")); n < 8 {
			t.Errorf("%s has %d rows in the feed, want many", name, n)
		}
	}
	if n := s.Rows("notifications", "type = 'follow_request' AND recipient = {:bob}", map[string]any{"bob": s.User("bob").Id}); n != 1 {
		t.Errorf("bob has %d requests, want one", n)
	}
	for name, least := range map[string]int{"ada": 4, "bob": 3} { // one is for noor's followers only, and bob does not follow her
		if n := len(s.As(name).List("stories", "")); n < least {
			t.Errorf("%s sees %d stories, want %d or more", name, n, least)
		}
	}
	if n := len(s.As("ada").List("story_views", "filter=story.author=%22"+s.User("ada").Id+"%22")); n < 2 {
		t.Errorf("ada's stories have %d views, want some", n)
	}

	before := tableHashes(t, s.App)
	made, err = demo.Create(context.Background(), s.App, nil)
	if err != nil || made {
		t.Errorf("the second start made it: %v, %v", made, err)
	}
	serveDemo(t, s.App.DataDir()) // the third start
	if after := tableHashes(t, s.App); !maps.Equal(before, after) {
		t.Errorf("further starts changed %v to %v", before, after)
	}
	if n := s.Rows("_superusers", "1"); n != 1 {
		t.Errorf("%d superusers, want one", n)
	}
}

// newProgram returns Doubletap on a folder, as main makes it, and what it prints.
func newProgram(t *testing.T, dir string, args ...string) (*pocketbase.PocketBase, *bufio.Scanner) {
	t.Helper()
	pb := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: dir, HideStartBanner: true})
	hooks.Bind(pb)
	if err := pb.Bootstrap(); err != nil {
		t.Fatal("bootstrap:", err)
	}
	t.Cleanup(func() {
		if err := pb.ClearBootstrap(); err != nil {
			t.Error("close:", err)
		}
	})
	read, write := io.Pipe()
	pb.RootCmd.SetOut(write)
	pb.RootCmd.SetArgs(args)
	pb.OnTerminate().BindFunc(func(e *core.TerminateEvent) error { // nobody reads the output any more
		_ = write.Close()
		return e.Next()
	})
	return pb, bufio.NewScanner(read)
}

// serveDemo starts the demo command on a folder and signs in with the passwords that it prints.
func serveDemo(t *testing.T, dir string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	pb, out := newProgram(t, dir, "demo", "--http="+address)
	ended := make(chan error, 1)
	go func() { ended <- pb.RootCmd.Execute() }()

	var said []string
	for len(said) < 5 && out.Scan() {
		said = append(said, out.Text())
	}
	for i, want := range []string{"http://" + address, "ada", "bob", "http://" + address + "/_/", "admin@example.com"} {
		if i >= len(said) || !strings.Contains(said[i], want) {
			t.Fatalf("it said %q, want %q in line %d", said, want, i+1)
		}
	}
	for path, body := range map[string]string{
		"/api/collections/users/auth-with-password":       `{"identity":"ada","password":"` + demo.Password + `"}`,
		"/api/collections/_superusers/auth-with-password": `{"identity":"admin@example.com","password":"` + demo.Password + `"}`,
	} {
		response, err := http.Post("http://"+address+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("%s: status %d", path, response.StatusCode)
		}
	}

	err = pb.OnTerminate().Trigger(&core.TerminateEvent{App: pb})
	if err != nil {
		t.Error("terminate:", err)
	}
	if err := <-ended; err != nil {
		t.Error("the demo ended with", err)
	}
}

func TestDemoKeepsOutOfSomebodysFolder(t *testing.T) {
	s := hookstest.New(t)
	before := tableHashes(t, s.App)
	made, err := demo.Create(context.Background(), s.App, nil)
	if err == nil || made || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("made it: %v, %v, want words about --dir", made, err)
	}
	if after := tableHashes(t, s.App); !maps.Equal(before, after) {
		t.Errorf("the refused demo changed %v to %v", before, after)
	}
}
