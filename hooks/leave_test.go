package hooks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// buildPlain builds PocketBase as it comes.
func buildPlain(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "plain")
	if out, err := osexec.Command("go", "build", "-o", program, "../tests/plain").CombinedOutput(); err != nil {
		t.Fatalf("build tests/plain: %v: %s", err, out)
	}
	return program
}

// runLeave runs the command on a folder, as an operator does.
func runLeave(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	command := osexec.Command(os.Args[0], append([]string{"leave", "--dir=" + dir}, args...)...)
	command.Env = append(os.Environ(), programDirEnv+"="+dir)
	out, err := command.CombinedOutput()
	return string(out), err
}

// plainServer is a plain PocketBase that serves a folder.
type plainServer struct {
	t   *testing.T
	url string
	end func()
}

const plainPassword = "1234567890"

func servePlain(t *testing.T, dir string) *plainServer {
	t.Helper()
	program := buildPlain(t)
	if out, err := osexec.Command(program, "superuser", "upsert", "root@example.com", plainPassword, "--dir="+dir).CombinedOutput(); err != nil {
		t.Fatalf("superuser: %v: %s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	var out bytes.Buffer
	command := osexec.Command(program, "serve", "--dir="+dir, "--http="+address)
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	p := &plainServer{t: t, url: "http://" + address, end: sync.OnceFunc(func() { _ = command.Process.Signal(os.Interrupt); <-ended })}
	t.Cleanup(p.end)
	for {
		if answer, err := http.Get(p.url + "/api/health"); err == nil {
			answer.Body.Close()
			return p
		}
		select {
		case <-ended:
			t.Fatalf("PocketBase does not serve the folder: %s", out.String())
		case <-time.After(10 * time.Millisecond): // leaves the processor to the program
		}
	}
}

// ask sends a request and returns what is answered, having checked the status.
func (p *plainServer) ask(want int, token, method, path string, body any) map[string]any {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	status, said := askServer(p.t, token, method, p.url+path, string(text))
	if status != want {
		p.t.Errorf("%s %s: %d, want %d: %s", method, path, status, want, said)
	}
	var values map[string]any
	_ = json.Unmarshal([]byte(said), &values) // a file is none
	return values
}

// signInRoot returns a superuser's token.
func (p *plainServer) signInRoot() string {
	p.t.Helper()
	answer := p.ask(200, "", "POST", "/api/collections/_superusers/auth-with-password", map[string]any{"identity": "root@example.com", "password": plainPassword})
	token, _ := answer["token"].(string)
	return token
}

// rulesAndOptions returns what of users its owner chooses.
func rulesAndOptions(t *testing.T, app core.App) string {
	t.Helper()
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	avatar := *users.Fields.GetByName("avatar").(*core.FileField)
	text, err := json.MarshalIndent(map[string]any{
		"rules":  []*string{users.ListRule, users.ViewRule, users.CreateRule, users.UpdateRule, users.DeleteRule, users.AuthRule, users.ManageRule},
		"signin": users.PasswordAuth, "oauth2": users.OAuth2, "batch": app.Settings().Batch,
		"avatar": []any{avatar.MimeTypes, avatar.MaxSize, strings.Join(avatar.Thumbs, " "), avatar.Protected},
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// makeClubFolder makes a folder of an app with members, whose rules are its own, and returns a member's id and token.
func makeClubFolder(t *testing.T) (p *plainApp, ann, token string) {
	t.Helper()
	p = newPlainApp(t)
	p.changeUsers(func(users *core.Collection) {
		users.Fields.Add(&core.TextField{Name: "city"}, &core.TextField{Name: "username", Max: 40})
		users.AddIndex("idx_username", true, "username", "username != ''")
		users.PasswordAuth.IdentityFields = []string{"username", "email"}
		users.CreateRule = nil
		users.AuthRule = types.Pointer("verified = true // those we know")
		users.ListRule, users.ViewRule = types.Pointer(`@request.auth.id != ""`), types.Pointer(`@request.auth.id != ""`)
	})
	ann = p.addUser("ann@example.com", map[string]any{"name": "Ann", "username": "ann", "city": "Rome", "verified": true})
	recipes := core.NewBaseCollection("recipes")
	recipes.Fields.Add(&core.TextField{Name: "title"}, &core.FileField{Name: "scan", MaxSelect: 1})
	recipes.ListRule, recipes.ViewRule = types.Pointer(`@request.auth.verified = true`), types.Pointer("")
	p.must(p.app.Save(recipes))
	soup := core.NewRecord(recipes)
	soup.Set("title", "soup")
	file, err := filesystem.NewFileFromBytes([]byte("salt and water"), "soup.txt")
	p.must(err)
	soup.Set("scan", file)
	p.must(p.app.Save(soup))
	return p, ann, p.token(ann)
}

// TestLeavingGivesAnAppBack adopts an app, lets people use what it got, and gives it back to PocketBase.
func TestLeavingGivesAnAppBack(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprintf("drop=%v", drop), func(t *testing.T) {
			p, ann, token := makeClubFolder(t)
			before := rulesAndOptions(t, p.app)
			p.close()
			var post string
			t.Run("adopted", func(t *testing.T) { // the service ends with it
				s := hookstest.Open(t, p.dir)
				post = s.As("ann").Post("sea")
				s.As("ann").Like(post)
			})
			args := leaveArgs(drop)
			planned, err := runLeave(t, p.dir, append(args, "--check")...)
			if err != nil || !strings.Contains(planned, "users.authRule (1 row): as before: verified = true // those we know") || !strings.Contains(planned, "posts (1 row): ") {
				t.Fatalf("leave --check: %v\n%s", err, planned)
			}
			if out, err := runLeave(t, p.dir, args...); err != nil || !strings.Contains(out, "A plain PocketBase can serve the folder now.") {
				t.Fatalf("leave: %v\n%s", err, out)
			}
			app := core.NewBaseApp(core.BaseAppConfig{DataDir: p.dir})
			p.must(app.Bootstrap())
			if after := rulesAndOptions(t, app); after != before {
				t.Errorf("before it was\n%s\nnow it is\n%s", before, after)
			}
			expectNothingOfOurs(t, app, drop)
			p.must(app.ClearBootstrap())

			plain := servePlain(t, p.dir)
			plain.ask(200, token, "GET", "/api/collections/users/records/"+ann, nil)
			plain.ask(200, token, "POST", "/api/collections/users/auth-refresh", nil)
			plain.ask(200, "", "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": "ann", "password": hookstest.Password})
			plain.ask(403, "", "POST", "/api/collections/users/records", map[string]any{"email": "new@example.com", "password": "12345678", "passwordConfirm": "12345678"})
			plain.ask(200, token, "PATCH", "/api/collections/users/records/"+ann, map[string]any{"city": "Pisa", "role": "moderator"})
			recipes := plain.ask(200, token, "GET", "/api/collections/recipes/records", nil)
			items, _ := recipes["items"].([]any)
			if len(items) != 1 {
				t.Fatalf("the recipes are %v", recipes)
			}
			soup := items[0].(map[string]any)
			plain.ask(200, "", "GET", fmt.Sprintf("/api/files/recipes/%s/%s", soup["id"], soup["scan"]), nil)
			root := plain.signInRoot()
			collections := plain.ask(200, root, "GET", "/api/collections?perPage=200", nil)
			listed, _ := collections["items"].([]any)
			for _, c := range listed {
				name, _ := c.(map[string]any)["name"].(string)
				plain.ask(200, root, "GET", "/api/collections/"+name+"/records", nil)
			}
			if user := plain.ask(200, root, "GET", "/api/collections/users/records/"+ann, nil); !drop && (user["role"] != "member" || user["handle"] != "ann") {
				t.Errorf("a member has made themselves %v, %v", user["handle"], user["role"])
			}
			if !drop {
				plain.ask(403, token, "GET", "/api/collections/posts/records", nil)
				plain.ask(403, token, "GET", "/api/collections/posts/records/"+post, nil)
			}
			plain.end()
			if !drop { // what was kept has to go first, and whoever adopts is told so
				command := osexec.Command(os.Args[0], "adopt", "--check", "--dir="+p.dir)
				command.Env = append(os.Environ(), programDirEnv+"="+p.dir)
				if out, err := command.CombinedOutput(); err == nil || !strings.Contains(string(out), "posts (1 row): Doubletap kept it when it left this folder; the command leave --drop deletes") {
					t.Errorf("adopting over what was kept: %v\n%s", err, out)
				}
				if out, err := runLeave(t, p.dir, "--drop"); err != nil {
					t.Fatalf("leave --drop: %v\n%s", err, out)
				}
			}
			s := hookstest.Open(t, p.dir)
			if ann := clientWith(s, token).Must(200, "GET", "/api/collections/users/records/"+ann, nil); ann.Body["city"] != "Pisa" || ann.Body["handle"] != "ann" {
				t.Errorf("adopted again, she is %v", ann.Body)
			}
			s.As("ann").Like(s.As("ann").Post("lake"))
		})
	}
}

// execIn runs a statement on a folder that nobody serves.
func execIn(t *testing.T, dir, statement string) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer app.ClearBootstrap()
	if _, err := app.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
		t.Fatal(err)
	}
}

func leaveArgs(drop bool) []string {
	if drop {
		return []string{"--drop"}
	}
	return nil
}

// TestLeavingGivesBackAFolderOfOurs leaves a folder that was Doubletap's from the beginning: users become as PocketBase makes
// them.
func TestLeavingGivesBackAFolderOfOurs(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprintf("drop=%v", drop), func(t *testing.T) {
			dir, token := t.TempDir(), ""
			t.Run("used", func(t *testing.T) { // the service ends with it
				s := hookstest.Open(t, dir)
				s.Guest().Must(200, "POST", "/api/collections/users/records", map[string]any{"handle": "ada", "email": "ada@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
				ada := s.As("ada")
				ada.Like(ada.Post("sea"))
				token = ada.Token
			})
			if out, err := runLeave(t, dir, leaveArgs(drop)...); err != nil {
				t.Fatalf("leave: %v\n%s", err, out)
			}
			app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
			if err := app.Bootstrap(); err != nil {
				t.Fatal(err)
			}
			if fresh, left := rulesAndOptions(t, newPlainApp(t).app), rulesAndOptions(t, app); fresh != left {
				t.Errorf("PocketBase makes\n%s\nwe leave\n%s", fresh, left)
			}
			expectNothingOfOurs(t, app, drop)
			if err := app.ClearBootstrap(); err != nil {
				t.Fatal(err)
			}
			plain := servePlain(t, dir)
			plain.ask(200, token, "POST", "/api/collections/users/auth-refresh", nil)
			plain.ask(200, "", "POST", "/api/collections/users/records", map[string]any{"email": "new@example.com", "password": "12345678", "passwordConfirm": "12345678"})
			plain.ask(200, "", "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": "new@example.com", "password": "12345678"})
			plain.ask(200, plain.signInRoot(), "GET", "/api/collections?perPage=200", nil)
		})
	}
}

// TestLeavingRefusesWhatWouldBreak has an app that uses what goes, and a server that serves the folder.
func TestLeavingRefusesWhatWouldBreak(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	dir := t.TempDir()
	t.Run("used", func(t *testing.T) {
		s := hookstest.Open(t, dir)
		posts, err := s.App.FindCollectionByNameOrId("posts")
		if err != nil {
			t.Fatal(err)
		}
		books := core.NewBaseCollection("books")
		books.Fields.Add(&core.RelationField{Name: "cover", CollectionId: posts.Id, MaxSelect: 1})
		books.ListRule, books.ViewRule = types.Pointer(`blocked(@request.auth.id, id) = false`), types.Pointer(`@request.auth.role = "moderator"`)
		books.UpdateRule = types.Pointer(`@collection.likes.id != ""`)
		readers, lately := core.NewViewCollection("readers"), core.NewViewCollection("lately")
		readers.ViewQuery, lately.ViewQuery = `SELECT id, handle FROM users`, `SELECT id FROM feed`
		for _, c := range []*core.Collection{books, readers, lately} {
			if err := s.App.Save(c); err != nil {
				t.Fatal(err)
			}
		}
		p := startProgram(t, s)
		if out, err := runLeave(t, dir); err == nil || !strings.Contains(out, "another process serves the data folder") {
			t.Errorf("beside a server: %v\n%s", err, out)
		}
		p.command.Process.Kill()
		<-p.ended
	})
	read := func() string {
		app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
		if err := app.Bootstrap(); err != nil {
			t.Fatal(err)
		}
		defer app.ClearBootstrap()
		return everythingIn(t, app)
	}
	before := read()
	for drop, wants := range map[bool][]string{
		false: {"books.listRule (0 rows): it calls blocked", "lately (0 rows): it is a view that may read feed, which goes; delete the view first\n", "2 things have to be decided first; nothing is changed"},
		true: {"books.listRule (0 rows): it calls blocked", "books.cover (0 rows): it points at posts", "books.viewRule (0 rows): PocketBase could not evaluate it any more: @request.auth.role goes",
			"books.updateRule (0 rows): PocketBase could not evaluate it any more", "lately (0 rows): it is a view that may read feed",
			"readers (0 rows): it is a view that may read users.handle, which goes", "6 things have to be decided first; nothing is changed"},
	} {
		out, err := runLeave(t, dir, leaveArgs(drop)...)
		if err == nil {
			t.Errorf("drop=%v is not refused", drop)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("drop=%v: it does not say %q:\n%s", drop, want, out)
			}
		}
	}
	if read() != before {
		t.Error("a refusal has changed the folder")
	}
	p := newPlainApp(t)
	p.close()
	if out, err := runLeave(t, p.dir); err == nil || !strings.Contains(out, "holds no Doubletap") {
		t.Errorf("a folder without Doubletap: %v\n%s", err, out)
	}
}

// TestLeavingAgainDropsWhatWasKept drops what an earlier leave kept, and files that a crash let stay.
func TestLeavingAgainDropsWhatWasKept(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	p, _, _ := makeClubFolder(t)
	before := rulesAndOptions(t, p.app)
	p.close()
	folder := ""
	t.Run("used", func(t *testing.T) {
		s := hookstest.Open(t, p.dir)
		s.As("ann").Post("sea")
		posts, err := s.App.FindCollectionByNameOrId("posts")
		if err != nil {
			t.Fatal(err)
		}
		folder = filepath.Join(p.dir, "storage", posts.Id)
	})
	for _, drop := range []bool{false, false, true} {
		if out, err := runLeave(t, p.dir, leaveArgs(drop)...); err != nil {
			t.Fatalf("drop=%v: %v\n%s", drop, err, out)
		}
	}
	// as if the command had been killed before it deleted the files
	p.must(os.MkdirAll(filepath.Join(folder, "lost"), 0o700))
	p.must(os.WriteFile(filepath.Join(folder, "lost", "a.jpg"), nil, 0o600))
	execIn(t, p.dir, `INSERT INTO _params (id, value) VALUES ('doubletap_left', '{"folders":["`+filepath.Base(folder)+`"]}')`)
	if out, err := runLeave(t, p.dir, "--drop"); err != nil {
		t.Fatalf("after a crash: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(folder, "lost", "a.jpg")); !os.IsNotExist(err) {
		t.Error("files are left after a crash:", err)
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: p.dir})
	p.must(app.Bootstrap())
	defer func() { p.must(app.ClearBootstrap()) }()
	if after := rulesAndOptions(t, app); after != before {
		t.Errorf("before it was\n%s\nnow it is\n%s", before, after)
	}
	if app.HasTable("posts") || app.HasTable("gone_ids") {
		t.Error("tables of ours are left")
	}
}

// expectNothingOfOurs looks for what a plain PocketBase would stumble over.
func expectNothingOfOurs(t *testing.T, app core.App, dropped bool) {
	t.Helper()
	var names []string
	err := app.DB().NewQuery(`SELECT type || ' ' || name FROM sqlite_master WHERE type IN ('trigger', 'view') OR name LIKE 'search%' OR ({:dropped} AND name LIKE 'idx_users%')
		UNION ALL SELECT 'step ' || file FROM _migrations WHERE file GLOB '1765*' OR file GLOB '1764999999*'`).Bind(map[string]any{"dropped": dropped}).Column(&names)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	if !dropped {
		var keys int
		if err := app.DB().NewQuery(`SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM secrets) + (SELECT count(*) FROM webhooks WHERE secret != '')`).Row(&keys); err != nil || keys > 0 {
			t.Errorf("%d keys and jobs are left, %v", keys, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(app.DataDir(), "storage"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if _, err := app.FindCollectionByNameOrId(entry.Name()); err != nil {
			t.Errorf("the files of %s are left", entry.Name())
		}
	}
}
