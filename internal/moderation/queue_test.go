package moderation

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// newQueue is newWorld with the reports a day apart, in this order; of the last two, one is about the person of an earlier
// report, and one about nothing any more, as others are.
func newQueue(t *testing.T) core.App {
	t.Helper()
	app := newWorld(t)
	for day, name := range []string{"onpost", "oncomment", "onuser", "onmoderator", "bymeg", "ongone"} {
		_, err := db.Exec(app, `UPDATE reports SET created = {:at} WHERE id = {:id}`, db.Params{"at": fmt.Sprintf("2026-01-%02d 00:00:00.000Z", day+1), "id": idOf(name)})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := db.Exec(app, `INSERT INTO reports (id, reporter, state, created) VALUES ('ongonetoo', '', 'open', '2026-01-07 00:00:00.000Z')`, nil)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// readPages returns all pages of a state, each as the reports with how many are about the same thing.
func readPages(t *testing.T, app core.App, state string, limit int) (pages []string) {
	t.Helper()
	for cursor := ""; ; {
		page, err := ReadQueue(app, state, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		var items []string
		for _, item := range page.Items {
			items = append(items, fmt.Sprint(strings.TrimRight(item.ID, "0"), " ", item.Reports))
		}
		pages = append(pages, strings.Join(items, ", "))
		if cursor = page.Cursor; cursor == "" || len(pages) > 9 {
			return pages
		}
	}
}

func TestTheQueueHasEachThingOnce(t *testing.T) {
	app := newQueue(t)
	for limit, want := range map[int][]string{
		0: {"onpost 1, oncomment 1, onuser 2, onmoderator 1, ongone 1, ongonetoo 1"},
		6: {"onpost 1, oncomment 1, onuser 2, onmoderator 1, ongone 1, ongonetoo 1"}, // a page that is full may be the last
		4: {"onpost 1, oncomment 1, onuser 2, onmoderator 1", "ongone 1, ongonetoo 1"},
		1: {"onpost 1", "oncomment 1", "onuser 2", "onmoderator 1", "ongone 1", "ongonetoo 1"},
	} {
		if got := readPages(t, app, "", limit); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %q, want %q", limit, got, want)
		}
	}
	if _, err := db.Exec(app, `UPDATE reports SET state = 'dismissed' WHERE id IN ('`+idOf("onpost")+`', '`+idOf("onuser")+`', '`+idOf("onmoderator")+`')`, nil); err != nil {
		t.Fatal(err)
	}
	for state, want := range map[string][]string{
		Open:      {"oncomment 1, bymeg 1", "ongone 1, ongonetoo 1"},
		Dismissed: {"onmoderator 1, onuser 1", "onpost 1"},
		Upheld:    {""},
	} {
		if got := readPages(t, app, state, 2); !slices.Equal(got, want) {
			t.Errorf("what is %s: %q, want %q", state, got, want)
		}
	}
}

func TestAPageOfTheQueueHasAHundredThingsAtMost(t *testing.T) {
	app := newQueue(t)
	_, err := db.Exec(app, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:most})
		INSERT INTO reports (id, reporter, state, created) SELECT 'more' || i, '', 'open', '2026-02-01 00:00:00.000Z' FROM n`, db.Params{"most": maxLimit})
	if err != nil {
		t.Fatal(err)
	}
	page, err := ReadQueue(app, Open, "", 10*maxLimit)
	if err != nil || len(page.Items) != maxLimit || page.Cursor == "" {
		t.Errorf("a page of %d (%v)", len(page.Items), err)
	}
}

func TestTheQueueRefusesWhatIsNoQuestion(t *testing.T) {
	app := newQueue(t)
	for _, question := range [][2]string{{"closed", ""}, {Open, "x"}, {Open, "eA"}} {
		if _, err := ReadQueue(app, question[0], question[1], 1); err == nil {
			t.Errorf("%q is answered", question)
		}
	}
}

// TestAnItemShowsWhatAModeratorNeeds reports the comment, whose post is shown with it, after a decision about each.
func TestAnItemShowsWhatAModeratorNeeds(t *testing.T) {
	app := newQueue(t)
	for _, on := range []string{"onpost", "onuser", "onmoderator"} {
		if _, err := decide(t, app, on, Dismiss, ""); err != nil {
			t.Fatal(err)
		}
		clock.Advance(app, time.Second)
	}
	page, err := ReadQueue(app, Open, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	item := page.Items[0]
	if item.Comment == nil || item.Comment.Text != "x" || item.Comment.Author.Handle != "ada" || item.User.Handle != "ada" || item.Reporter.Handle != "bob" ||
		item.Post == nil || item.Post.ID != idOf("post") || len(item.Post.Photos) != 1 {
		t.Errorf("shown are %+v", item)
	}
	if item.Reason != "spam" || item.State != Open || item.History == nil {
		t.Errorf("shown are %q, %q and the history %v", item.Reason, item.State, item.History)
	}
}

// TestASignedPhotoIsShownForFiveMinutes also tries a signature on something else.
func TestASignedPhotoIsShownForFiveMinutes(t *testing.T) {
	app := newWorld(t)
	if err := PhotoLinks.PrepareKey(app); err != nil {
		t.Fatal(err)
	}
	file := PhotoFile{"posts", idOf("post"), "a.jpg", largeSize}
	signed, err := file.SignedURL(app)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(signed)
	if err != nil || address.Path != PhotoRoute+"posts/"+idOf("post")+"/a.jpg/"+largeSize {
		t.Fatalf("%s (%v)", signed, err)
	}
	until, signature := address.Query().Get("until"), address.Query().Get("signature")
	left := func(file PhotoFile, until, signature string) time.Duration {
		t.Helper()
		left, err := file.TimeLeft(app, until, signature)
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	if got := left(file, until, signature); got <= 0 || got > 5*time.Minute {
		t.Errorf("it is shown for %s", got)
	}
	for _, other := range []PhotoFile{
		{"stories", file.Record, file.File, file.Size}, {file.Collection, idOf("other"), file.File, file.Size},
		{file.Collection, file.Record, "b.jpg", file.Size}, {file.Collection, file.Record, file.File, thumbSize},
	} {
		if got := left(other, until, signature); got != 0 {
			t.Errorf("with the signature %v is shown for %s", other, got)
		}
	}
	if left(file, until+"0", signature) != 0 || left(file, until, signature+"x") != 0 || left(file, "", "") != 0 {
		t.Error("what was not signed is shown")
	}
	clock.Advance(app, 5*time.Minute)
	if got := left(file, until, signature); got != 0 {
		t.Errorf("five minutes later it is shown for %s", got)
	}
}
