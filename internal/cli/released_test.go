package cli_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// released is the version that TestReleasedFoldersUpgrade keeps a folder of: at a release it is given once,
// as CONTRIBUTING.md says.
var released = flag.String("release", "", "keep a data folder and the steps of this version")

const (
	releasedFolders = "testdata/released"
	releasedSteps   = releasedFolders + "/steps.txt" // the SHA-256 and the name of each released file of migrations
	stepsFolder     = "../../migrations"
)

// keptRows says how many rows each collection had when its folder was kept, but for those of which rows go by themselves.
type keptRows map[string]int

// TestReleasedFoldersUpgrade opens the folder that each release made, with the steps of today: nothing is lost, doctor
// finds nothing, and its people sign in and see their feed and photos.
func TestReleasedFoldersUpgrade(t *testing.T) {
	testenv.SkipSequential(t)
	if *released != "" {
		keepReleasedFolder(t, *released)
	}
	folders, err := filepath.Glob(releasedFolders + "/*.zip")
	if err != nil || len(folders) == 0 {
		t.Fatalf("%d released folders, %v", len(folders), err)
	}
	for _, folder := range folders {
		t.Run(strings.TrimSuffix(filepath.Base(folder), ".zip"), func(t *testing.T) { upgradeReleasedFolder(t, folder) })
	}
}

func upgradeReleasedFolder(t *testing.T, folder string) {
	dir := t.TempDir()
	unpackFolder(t, folder, dir)
	s := hookstest.Open(t, dir)
	for table, rows := range readKeptRows(t, folder) {
		if got := s.Rows(table, "1"); got != rows {
			t.Errorf("%s has %d rows, had %d", table, got, rows)
		}
	}
	s.Guest().Must(http.StatusOK, "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": "ada", "password": hookstest.Password})
	bob := s.As("bob")
	feed := bob.List("feed", "sort=-at,-post")
	if len(feed) != 2 {
		t.Fatalf("bob's feed has %d posts, want his own and ada's", len(feed))
	}
	post := s.Record("posts", feed[1]["post"].(string))
	bob.Must(http.StatusOK, "GET", "/api/files/posts/"+post.Id+"/"+post.GetStringSlice("photos")[0]+"?thumb=320x320", nil)
	bob.Post("after the upgrade")
	s.RunJobs()
	expectHealthy(t, s.App)
}

// TestReleasedStepsAreFrozen: a folder that has a step does not run it again, so that a change would part the folders
// of before from those of after. Steps are added, and none goes.
func TestReleasedStepsAreFrozen(t *testing.T) {
	kept, err := os.ReadFile(releasedSteps)
	if err != nil {
		t.Fatal(err)
	}
	if changed := changedSteps(t, string(kept), os.ReadFile); len(changed) > 0 {
		t.Errorf("released and changed since: %v; change the schema by a new file in migrations/", changed)
	}
	edited := func(path string) ([]byte, error) {
		text, err := os.ReadFile(path)
		return append(text, "// edited"...), err
	}
	if changed, lines := changedSteps(t, string(kept), edited), strings.Count(string(kept), "\n"); len(changed) != lines || lines == 0 {
		t.Errorf("of %d edited steps %d are found", lines, len(changed))
	}
}

// changedSteps returns the files of a list of released ones that are not as they were.
func changedSteps(t *testing.T, list string, read func(path string) ([]byte, error)) (changed []string) {
	t.Helper()
	for line := range strings.Lines(list) {
		sum, name, isStep := strings.Cut(strings.TrimSpace(line), "  ")
		if !isStep {
			t.Fatalf("%s: %q has no sum and name", releasedSteps, line)
		}
		text, err := read(filepath.Join(stepsFolder, name))
		if now := sha256.Sum256(text); err != nil || hex.EncodeToString(now[:]) != sum {
			changed = append(changed, name)
		}
	}
	return changed
}

// keepReleasedFolder makes the folder of a release, and the list of its steps.
func keepReleasedFolder(t *testing.T, version string) {
	dir := t.TempDir()
	rows := keptRows{}
	t.Run("makes the folder", func(t *testing.T) { // and ends its service
		s := hookstest.Open(t, dir)
		for _, handle := range []string{"ada", "bob", "carol", "mallory"} {
			s.Guest().Create("users", map[string]any{"handle": handle, "email": handle + "@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
		}
		actInReleasedFolder(t, s)
		s.RunJobs()
		collections, err := s.App.FindAllCollections()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range collections {
			d := collection.Describe(c.Name)
			if comesAndGoes := []string{"jobs", "secrets", "stories", "story_views", "hashtags"}; d == nil || d.Expiries != nil || slices.Contains(comesAndGoes, c.Name) {
				continue
			}
			rows[c.Name] = s.Rows(c.Name, "1")
		}
	})
	for _, path := range []string{"auxiliary.db", "serve.lock", ".uploads"} {
		if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{version + ".zip": packFolder(t, dir), version + ".json": append(text, '\n'), "steps.txt": []byte(listSteps(t))} {
		if err := os.WriteFile(filepath.Join(releasedFolders, path), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// actInReleasedFolder stores a row of each collection that people and admins write.
func actInReleasedFolder(t *testing.T, s *hookstest.Service) {
	ada, bob, carol, mallory := s.As("ada"), s.As("bob"), s.As("carol"), s.As("mallory")
	ada.Update("users", ada.ID, &hookstest.Upload{Fields: map[string]string{"name": "Ada", "bio": "Photos of #light"}, Files: map[string][]byte{"avatar": hookstest.Photo()}})
	bob.Follow("ada")
	carol.Follow("bob")
	post, hidden := ada.Post("Morning #light with @bob"), bob.Post("Evening", "visibility", "followers")
	story := ada.Story()
	comment := bob.Comment(post, "", "Well seen, @carol")
	ada.Comment(post, comment, "Thank you")
	for _, c := range []*hookstest.Client{bob, carol, mallory} {
		c.Like(post)
	}
	carol.Like(hidden)
	ada.Block("mallory")
	for name, row := range map[string]map[string]any{
		"comment_likes": {"comment": comment}, "saves": {"post": post}, "story_views": {"story": story}, "mutes": {"muted": mallory.ID},
		"devices": {"kind": "fcm", "endpoint": "a-phone-that-is-an-android"}, "reports": {"user": mallory.ID},
	} {
		carol.Create(name, row)
	}
	superusers, err := s.App.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		t.Fatal(err)
	}
	admin := core.NewRecord(superusers)
	admin.SetEmail("admin@example.com")
	admin.SetPassword(hookstest.Password)
	if err := s.App.Save(admin); err != nil {
		t.Fatal(err)
	}
	s.Admin().Create("webhooks", map[string]any{"url": "https://hooks.example.com/doubletap", "events": []string{"like.created"}})
	carol.Update("users", carol.ID, map[string]any{"private": true})
	carol.Delete("posts", carol.Post("given up"))
	mallory.Follow("bob")
}

// listSteps returns the list of the files of migrations as they are.
func listSteps(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(stepsFolder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	list := ""
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		list += fmt.Sprintf("%s  %s\n", hex.EncodeToString(sum[:]), filepath.Base(path))
	}
	return list
}

func packFolder(t *testing.T, dir string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func unpackFolder(t *testing.T, path, dir string) {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := os.CopyFS(dir, r); err != nil {
		t.Fatal(err)
	}
}

func readKeptRows(t *testing.T, folder string) keptRows {
	t.Helper()
	text, err := os.ReadFile(strings.TrimSuffix(folder, ".zip") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	rows := keptRows{}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}
