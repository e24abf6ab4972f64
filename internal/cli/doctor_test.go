package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/testenv"
)

// examineFolder returns what doctor finds; if it cannot begin, that is a finding that fails.
func examineFolder(app core.App) []cli.Finding {
	all, err := cli.Examine(context.Background(), app, reconcile.ExamineOptions{})
	if err != nil {
		return []cli.Finding{{Check: "examine", State: cli.StateFail, Detail: err.Error()}}
	}
	return all
}

func repairFolder(app core.App) (map[string]int64, error) {
	done, _, err := cli.Repair(context.Background(), app, reconcile.ExamineOptions{})
	return done, err
}

// wrongFindings returns the findings of a folder that are not ok, by check, without those about the machine.
func wrongFindings(app core.App) map[string]cli.Finding {
	wrong := map[string]cli.Finding{}
	for _, f := range examineFolder(app) {
		switch f.Check {
		case "address", "mail", "encryption", "superusers", "folder":
			continue
		}
		if f.State != cli.StateOK {
			wrong[f.Check] = f
		}
	}
	return wrong
}

func expectHealthy(t *testing.T, app core.App) {
	t.Helper()
	if wrong := wrongFindings(app); len(wrong) > 0 {
		t.Errorf("the doctor found %+v", wrong)
	}
}

func execStatements(t *testing.T, app core.App, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// closeApp ends an app as a program ends. Only then PocketBase no longer watches the folder for what others change in it.
func closeApp(t *testing.T, app core.App) {
	t.Helper()
	err := app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error { return e.App.ClearBootstrap() })
	if err != nil {
		t.Error("close:", err)
	}
}

func TestDoctorBesideAServer(t *testing.T) {
	s := seededService(t)
	expectHealthy(t, s.App)
	beside := core.NewBaseApp(core.BaseAppConfig{DataDir: s.App.DataDir()})
	if err := beside.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer closeApp(t, beside)
	expectHealthy(t, beside)
}

// Each of these picks a row on which many others depend.
const (
	somePost   = `(SELECT id FROM posts WHERE visibility = 'public' AND likesCount > 1 AND author != (SELECT id FROM users ORDER BY followersCount DESC LIMIT 1) ORDER BY likesCount DESC, id LIMIT 1)`
	someUser   = `(SELECT id FROM users ORDER BY followersCount DESC LIMIT 1)`
	someFollow = `(SELECT id FROM follows WHERE state = 'accepted' AND EXISTS (SELECT 1 FROM posts WHERE author = followee)
		AND EXISTS (SELECT 1 FROM notification_events e WHERE e.type = 'follow' AND e.active AND e.actor = follower AND e.recipient = followee) LIMIT 1)`
)

func TestDoctorRepairs(t *testing.T) {
	testenv.SkipSequential(t)
	s := seededService(t)
	for _, test := range []struct {
		name   string
		damage []string
		want   map[string]string // state by check
		detail string            // a part of the only finding's detail
	}{
		{"a count of likes", []string{`UPDATE posts SET likesCount = likesCount + 3 WHERE id = ` + somePost}, map[string]string{"counters": "FAIL"}, "counter of posts.likesCount: 1 rows"},
		{"counts of comments", []string{`UPDATE posts SET commentsCount = -1`, `UPDATE comments SET repliesCount = 9, likesCount = 9`}, map[string]string{"counters": "FAIL"}, "counter of comments.repliesCount"},
		{"counts of people", []string{`UPDATE users SET postsCount = 9, followersCount = 9, followingCount = 9`}, map[string]string{"counters": "FAIL"}, "users.followingCount: "},
		{"a count of followers above all bounds", []string{`UPDATE users SET followersCount = 20000`}, map[string]string{"counters": "FAIL"}, "users.followersCount: "},
		{"counts of public posts", []string{`UPDATE users SET publicPosts = 7`}, map[string]string{"counters": "FAIL"}, "users.publicPosts: "},
		{"what is counted of hashtags", []string{`UPDATE post_tags SET counted = NOT counted`}, map[string]string{"counters": "FAIL"}, "post_tags.counted: "},
		{"counts of hashtags", []string{`UPDATE hashtags SET postsCount = 0`}, map[string]string{"counters": "FAIL"}, "hashtags.postsCount: "},
		{"settings gone", []string{`DELETE FROM settings WHERE user = ` + someUser}, map[string]string{"settings": "FAIL"}, "settings: 1 rows"},
		{"settings behind", []string{`UPDATE settings SET seq = 0`}, map[string]string{"settings": "FAIL"}, "seq: "},
		{"a notification that counts wrongly", []string{`UPDATE notifications SET actorsCount = 99 WHERE actorsCount > 1`}, map[string]string{"notifications": "FAIL"}, "actors: "},
		{"a notification that names the wrong", []string{`UPDATE notifications SET actors = '[]' WHERE actorsCount > 1`}, map[string]string{"notifications": "FAIL"}, "actors: "},
		{"a notification of nobody", []string{`UPDATE notification_events SET active = 0 WHERE notification = (SELECT id FROM notifications LIMIT 1)`}, map[string]string{"notifications": "FAIL"}, "actors: "},
		{"events of what is no more", []string{`DELETE FROM likes WHERE post = ` + somePost, `DELETE FROM comment_likes`}, map[string]string{"notifications": "FAIL"}, "undone: "},
		{"a follow gone by SQL", []string{`DELETE FROM follows WHERE id = ` + someFollow}, map[string]string{"notifications": "FAIL"}, ""},
		{"a follow taken back", []string{`UPDATE follows SET state = 'pending' WHERE id = ` + someFollow}, map[string]string{"edges": "FAIL"}, ""},
		{"a trigger gone", []string{`DROP TRIGGER count_likes_posts_likesCount_in`}, map[string]string{"triggers": "FAIL"}, "count_likes_posts_likesCount_in on likes is missing"},
		{"an index gone", []string{`DROP INDEX idx_likes_edge`}, map[string]string{"indexes": "FAIL"}, "idx_likes_edge on likes is missing"},
		{"a like of no post", []string{`UPDATE likes SET post = 'nothingatall000' WHERE id = (SELECT id FROM likes LIMIT 1)`}, map[string]string{"relations": "FAIL", "notifications": "*", "keys": "*"}, ""},
		{"a like under another id", []string{`UPDATE likes SET id = 'imported0000000' WHERE id = (SELECT id FROM likes LIMIT 1)`}, map[string]string{"keys": "FAIL"}, "key of likes: 1 rows"},
		{"a post gone by SQL", []string{`DELETE FROM posts WHERE id = ` + somePost}, map[string]string{"relations": "FAIL", "notifications": "*"}, ""},
		{"a comment gone by SQL", []string{`DELETE FROM comments WHERE id = (SELECT id FROM comments WHERE repliesCount > 0 LIMIT 1)`}, map[string]string{"relations": "FAIL", "notifications": "*"}, ""},
		{"a person gone by SQL", []string{`DELETE FROM users WHERE id = ` + someUser}, map[string]string{"relations": "FAIL", "notifications": "*"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			execStatements(t, s.App, test.damage...)
			wrong := wrongFindings(s.App)
			for name, want := range test.want {
				if f := wrong[name]; want != "*" && (f.State != want || f.Count == 0) {
					t.Errorf("the doctor found %+v, want %s of %s", f, want, name)
				}
			}
			for name, f := range wrong {
				if test.want[name] == "" {
					t.Errorf("the doctor also found %+v", f)
				}
				if len(test.want) == 1 && !strings.Contains(f.Detail, test.detail) {
					t.Errorf("it said %q, want %q", f.Detail, test.detail)
				}
			}
			done, err := repairFolder(s.App)
			if err != nil {
				t.Fatal(err)
			}
			for name := range test.want {
				if test.want[name] != "*" && done[name] == 0 {
					t.Errorf("it repaired %v, want %s too", done, name)
				}
			}
			expectHealthy(t, s.App)
		})
	}
	if done, err := repairFolder(s.App); err != nil || len(done) > 0 {
		t.Errorf("one more repair did %v, %v", done, err)
	}
	// the product still works on the repaired folder
	var author, post string
	if err := s.App.DB().NewQuery(`SELECT author, id FROM posts WHERE visibility = 'public' LIMIT 1`).Row(&author, &post); err != nil {
		t.Fatal(err)
	}
	record, err := s.App.FindRecordById("posts", post)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.App.Delete(record); err != nil {
		t.Error("delete a post:", err)
	}
	expectHealthy(t, s.App)
}

func TestDoctorLeavesToAPerson(t *testing.T) {
	testenv.SkipSequential(t)
	s := seededService(t)
	storage := filepath.Join(s.App.DataDir(), "storage")
	var post, photo string
	if err := s.App.DB().NewQuery(`SELECT id, json_extract(photos, '$[0]') FROM posts LIMIT 1`).Row(&post, &photo); err != nil {
		t.Fatal(err)
	}
	posts, err := s.App.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(storage, posts.Id, post, photo)
	stray := filepath.Join(storage, posts.Id, "nobodyspost0000", "left.jpg")
	for _, test := range []struct {
		name         string
		damage, heal func() error
		check, state string
		detail       string
	}{
		{"a rule opened", statementFunc(s.App, `UPDATE _collections SET createRule = '' WHERE name = 'likes'`), statementFunc(s.App, `UPDATE _collections SET createRule = (SELECT createRule FROM kept WHERE name = 'likes') WHERE name = 'likes'`),
			"rules", cli.StateFail, "likes.createRule differs from what ships"},
		{"a rule closed", statementFunc(s.App, `UPDATE _collections SET viewRule = NULL WHERE name = 'likes'`), statementFunc(s.App, `UPDATE _collections SET viewRule = (SELECT viewRule FROM kept WHERE name = 'likes') WHERE name = 'likes'`),
			"rules", cli.StateWarn, "likes.viewRule is closed"},
		{"an internal collection opened", statementFunc(s.App, `UPDATE _collections SET listRule = '' WHERE name = 'jobs'`), statementFunc(s.App, `UPDATE _collections SET listRule = NULL WHERE name = 'jobs'`),
			"rules", cli.StateFail, "jobs.listRule differs"},
		{"suspended people let in", statementFunc(s.App, `UPDATE _collections SET options = json_set(options, '$.authRule', '') WHERE name = 'users'`), statementFunc(s.App, `UPDATE _collections SET options = (SELECT options FROM kept WHERE name = 'users') WHERE name = 'users'`),
			"rules", cli.StateFail, "users.authRule differs"},
		{"files opened", statementFunc(s.App, `UPDATE _collections SET fields = replace(fields, '"protected":true', '"protected":false') WHERE name = 'posts'`), statementFunc(s.App, `UPDATE _collections SET fields = replace(fields, '"protected":false', '"protected":true') WHERE name = 'posts'`),
			"collections", cli.StateFail, "posts.photos is no longer protected"},
		{"a trigger changed", statementFunc(s.App, `DROP TRIGGER gone_users`, `CREATE TRIGGER gone_users AFTER DELETE ON users BEGIN SELECT 1; END`), statementFunc(s.App, `DROP TRIGGER gone_users`),
			"triggers", cli.StateFail, "gone_users on users differs"},
		{"another feed", statementFunc(s.App, `DROP VIEW feed`, `CREATE VIEW feed AS SELECT id, author AS viewer, id AS post, author, created AS at, created, updated FROM posts`), statementFunc(s.App, `DROP VIEW feed`),
			"triggers", cli.StateFail, "feed on feed differs"},
		{"a dead job", statementFunc(s.App, `INSERT INTO jobs (id, kind, state, runAt) VALUES ('deadjob00000000', 'retention', 'dead', '2026-01-01 00:00:00.000Z')`), statementFunc(s.App, `DELETE FROM jobs`),
			"jobs", cli.StateWarn, "1 dead retention jobs"},
		{"a job that nobody runs", statementFunc(s.App, `INSERT INTO jobs (id, kind, state, runAt) VALUES ('latejob00000000', 'retention', 'ready', strftime('%Y-%m-%d %H:%M:%fZ', 'now', '-10 minutes'))`), statementFunc(s.App, `DELETE FROM jobs`),
			"jobs", cli.StateWarn, "the job that is longest due has waited for 10m"},
		{"a file lost", func() error { return os.Rename(file, file+".away") }, func() error { return os.Rename(file+".away", file) },
			"files", cli.StateFail, "posts " + post + " has lost " + photo},
		{"a file left behind", func() error {
			old := time.Now().Add(-2 * time.Hour)
			if err := os.MkdirAll(filepath.Dir(stray), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(stray, []byte("x"), 0o600); err != nil {
				return err
			}
			return os.Chtimes(stray, old, old)
		}, func() error { return os.RemoveAll(filepath.Dir(stray)) },
			"files", cli.StateWarn, "1 files without a record, as storage/" + posts.Id + "/nobodyspost0000/left.jpg"},
		{"a step undone", statementFunc(s.App, `DELETE FROM _migrations WHERE file = '1765000400_likes.go'`), statementFunc(s.App, `INSERT INTO _migrations (file, applied) VALUES ('1765000400_likes.go', 1)`),
			"migrations", cli.StateFail, "1 steps are not applied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			execStatements(t, s.App, `CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM _collections`)
			if err := test.damage(); err != nil {
				t.Fatal(err)
			}
			wrong := wrongFindings(s.App)
			if f := wrong[test.check]; len(wrong) != 1 || f.State != test.state || !strings.Contains(f.Detail, test.detail) {
				t.Errorf("the doctor found %+v, want %s of %s: %s", wrong, test.state, test.check, test.detail)
			}
			if err := test.heal(); err != nil {
				t.Fatal(err)
			}
			if _, err := repairFolder(s.App); err != nil {
				t.Fatal(err)
			}
			expectHealthy(t, s.App)
		})
	}
}

func TestDoctorTellsOfMailThatCannotLeave(t *testing.T) {
	testenv.SkipSequential(t)
	if _, err := exec.LookPath("sendmail"); err == nil {
		t.Skip("this machine has a sendmail")
	}
	s := seededService(t)
	mail := func() cli.Finding {
		for _, f := range examineFolder(s.App) {
			if f.Check == "mail" {
				return f
			}
		}
		t.Fatal("the doctor did not look at mail")
		return cli.Finding{}
	}
	execStatements(t, s.App, `UPDATE settings SET digest = 'off', notify = '{}'`)
	if f := mail(); f.State != cli.StateWarn || !strings.Contains(f.Detail, "no mail can leave") {
		t.Errorf("nobody asks for mail: %+v", f)
	}
	execStatements(t, s.App, `UPDATE users SET verified = 1 WHERE id = `+someUser, `UPDATE settings SET notify = '{"like":{"mail":"now"}}' WHERE user = `+someUser)
	if f := mail(); f.State != cli.StateFail || !strings.Contains(f.Detail, "1 people ask for mail and 0 mails wait") {
		t.Errorf("somebody asks for mail: %+v", f)
	}
	settings := s.App.Settings()
	settings.SMTP.Enabled, settings.SMTP.Host, settings.SMTP.Port, settings.Meta.SenderAddress = true, "smtp.example.com", 587, "post@example.com"
	if err := s.App.Save(settings); err != nil {
		t.Fatal(err)
	}
	if f := mail(); f.State != cli.StateOK {
		t.Errorf("with a mail server: %+v", f)
	}
}

func statementFunc(app core.App, statements ...string) func() error {
	return func() error {
		for _, statement := range statements {
			if _, err := app.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestDoctorSeesABrokenDatabase(t *testing.T) {
	testenv.SkipSequential(t)
	dir := t.TempDir()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	execStatements(t, app, `CREATE TABLE t (a TEXT)`, `CREATE INDEX idx_t ON t (a)`, `INSERT INTO t VALUES ('a')`)
	var page, size int64
	if err := app.DB().NewQuery(`SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = 'idx_t'`).Row(&page, &size); err != nil {
		t.Fatal(err)
	}
	if err := app.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "data.db"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{10, 0, 0, 0, 0, 0, 0, 0}, (page-1)*size); err != nil { // an index without an entry
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer closeApp(t, app)
	if f := wrongFindings(app)["integrity"]; f.State != cli.StateFail || !strings.Contains(f.Detail, "idx_t") {
		t.Errorf("the doctor found %+v, want the index idx_t", f)
	}
}

// runCommand runs a command as a person would, and returns its output and its error.
func runCommand(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	pb, _ := newProgram(t, dir, args...)
	delivertest.AllowLoopback(pb)
	var out strings.Builder
	pb.RootCmd.SetOut(&out)
	err := pb.RootCmd.Execute()
	return out.String(), err
}

func TestDoctorCommand(t *testing.T) {
	testenv.SkipSequential(t)
	s := seededService(t)
	dir := s.App.DataDir()
	if out, err := runCommand(t, dir, "doctor"); err != nil || !strings.Contains(out, "ok    counters\n") {
		t.Errorf("a healthy folder: %v\n%s", err, out)
	}
	execStatements(t, s.App, `UPDATE posts SET likesCount = likesCount + 1`)
	out, err := runCommand(t, dir, "doctor", "--json")
	var findings []cli.Finding
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&findings); err != nil || len(findings) == 0 {
		t.Errorf("it printed %d findings, %v:\n%s", len(findings), err, out)
	}
	if want := fmt.Sprintf("doctor: 1 of %d checks failed", len(findings)); err == nil || err.Error() != want {
		t.Errorf("a damaged folder: %v, want %s", err, want)
	}
	for _, f := range findings {
		if f.Check == "counters" && (f.State != cli.StateFail || f.Count != smallSize.Posts) {
			t.Errorf("it found %+v", f)
		}
	}
	if out, err := runCommand(t, dir, "doctor", "--repair"); err != nil || !strings.Contains(out, "repaired counters: 8\n") {
		t.Errorf("the repair: %v\n%s", err, out)
	}
	if out, err := runCommand(t, dir, "doctor", "--repair"); err != nil || !strings.HasPrefix(out, "nothing to repair\n") {
		t.Errorf("a second repair: %v\n%s", err, out)
	}
	if out, err := runCommand(t, t.TempDir(), "doctor"); err == nil || !strings.Contains(out, "holds no Doubletap") {
		t.Errorf("an empty folder: %v\n%s", err, out)
	}
}
