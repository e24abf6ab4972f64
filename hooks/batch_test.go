package hooks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func sendBatch(c *hookstest.Client, items ...jsonObject) hookstest.Answer {
	return c.Do("POST", "/api/batch", jsonObject{"requests": items})
}

func batchItem(method, path string, body jsonObject) jsonObject {
	return jsonObject{"method": method, "url": path, "body": body}
}

// sendBatchForm sends the same batch in a multipart body.
func sendBatchForm(c *hookstest.Client, items ...jsonObject) hookstest.Answer {
	text, _ := json.Marshal(jsonObject{"requests": items})
	return c.Do("POST", "/api/batch", &hookstest.Upload{Fields: map[string]string{"@jsonPayload": string(text)}})
}

func TestBatchOfAGuestIsRefused(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	like := batchItem("POST", "/api/collections/likes/records", jsonObject{"post": post})
	expired := &hookstest.Client{}
	*expired = *s.Guest()
	expired.Token = "not.a.token"
	for who, c := range map[string]*hookstest.Client{"a guest": s.Guest(), "a bad token": expired} {
		a := sendBatch(c, like)
		if a.Status != 400 || a.Body["message"] != "Sign in to send a batch." || a.Body["data"] == nil {
			t.Errorf("%s: %d %s", who, a.Status, a.Raw)
		}
		if broken := c.Do("POST", "/api/batch", `{"requests":`); broken.Raw != a.Raw {
			t.Errorf("%s: the body was read: %s", who, broken.Raw)
		}
	}
	if a := sendBatch(s.As("bob"), like); a.Status != 200 {
		t.Errorf("bob: %d %s", a.Status, a.Raw)
	}
}

func TestBatchHashesNoPassword(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			safes := core.NewBaseCollection("safes")
			safes.Fields.Add(&core.PasswordField{Name: "code"}, &core.TextField{Name: "label"})
			for _, rule := range []**string{&safes.CreateRule, &safes.UpdateRule} {
				*rule = new("")
			}
			if err := e.App.Save(safes); err != nil {
				return err
			}
			return e.Next()
		})
	})
	ada, admin := s.As("ada"), s.Admin()
	users := "/api/collections/users/records"
	collection, err := s.App.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	signUp := jsonObject{"email": "new@example.com", "handle": "newcomer", "password": hookstest.Password, "passwordConfirm": hookstest.Password}
	change := jsonObject{"password": "another horse", "passwordConfirm": "another horse", "oldPassword": hookstest.Password}
	with := func(name string) jsonObject { return jsonObject{name: "another horse"} }
	type attempt struct {
		by   *hookstest.Client
		item jsonObject
	}
	attempts := map[string]attempt{
		"sign-up":                {ada, batchItem("POST", users, signUp)},
		"sign-up by id":          {ada, batchItem("POST", "/api/collections/"+collection.Id+"/records", signUp)},
		"sign-up by upsert":      {ada, batchItem("PUT", users+"?fields=id", signUp)},
		"sign-up by a superuser": {admin, batchItem("POST", users, signUp)},
		"superuser":              {admin, batchItem("POST", "/api/collections/_superusers/records", signUp)},
		"password":               {ada, batchItem("PATCH", users+"/"+ada.ID, change)},
		"password by upsert":     {ada, batchItem("PUT", users, jsonObject{"id": ada.ID, "password": "another horse", "passwordConfirm": "another horse", "oldPassword": hookstest.Password})},
		"password by superuser":  {admin, batchItem("PATCH", users+"/"+ada.ID, change)},
		"code of a safe":         {ada, batchItem("POST", "/api/collections/safes/records", with("code"))},
	}
	for _, name := range []string{"password", "password+", "+password", "password-", "password:hash", "passwordConfirm", "oldPassword"} {
		attempts["a superuser's "+name] = attempt{admin, batchItem("PATCH", users+"/"+ada.ID, with(name))}
	}
	before := s.User("ada").GetString("tokenKey") + s.User("ada").GetString("password:hash")
	for name, a := range attempts {
		for form, send := range map[string]func(*hookstest.Client, ...jsonObject) hookstest.Answer{"JSON": sendBatch, "form": sendBatchForm} {
			answer := send(a.by, batchItem("POST", "/api/collections/safes/records", jsonObject{"label": "first"}), a.item)
			if answer.Status != 400 || !strings.Contains(answer.Raw, "cannot be part of a batch") || !strings.Contains(answer.Raw, `"1"`) {
				t.Errorf("%s as %s: %d %s", name, form, answer.Status, answer.Raw)
			}
		}
	}
	if s.Rows("safes", "true") != 0 || s.Rows("users", "handle = 'newcomer'") != 0 || s.User("ada").GetString("tokenKey")+s.User("ada").GetString("password:hash") != before {
		t.Error("something was stored")
	}
	for _, c := range []*hookstest.Client{ada, admin} {
		if a := sendBatch(c, batchItem("PATCH", users+"/"+ada.ID, jsonObject{"name": "Countess"}), batchItem("PUT", users, jsonObject{"id": ada.ID, "bio": "Numbers"})); a.Status != 200 {
			t.Errorf("%s changes a name: %d %s", c.Name, a.Status, a.Raw)
		}
	}
	if a := sendBatch(admin, batchItem("PUT", users, jsonObject{"id": "newcomer0000000", "email": "new@example.com", "handle": "newcomer"})); a.Status != 400 {
		t.Errorf("an upsert of nobody without a password: %d %s", a.Status, a.Raw)
	}
	if a := sendBatch(ada, batchItem("POST", "/api/collections/safes/records", jsonObject{"label": "mine"})); a.Status != 200 {
		t.Errorf("an owner's collection: %d %s", a.Status, a.Raw)
	}
}

func TestBatchExpandsAfterItsCommit(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	var shown []string
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordEnrich("users").BindFunc(func(e *core.RecordEnrichEvent) error {
			shown = append(shown, fmt.Sprint(e.Record.GetString("handle"), " in a transaction: ", e.App.IsTransactional()))
			return e.Next()
		})
	})
	bob := s.As("bob")
	post := s.As("ada").Post("hello")
	shown = nil
	likes, comments := "/api/collections/likes/records", "/api/collections/comments/records"
	a := sendBatch(bob,
		batchItem("POST", likes+"?expand=post.author&fields=post,expand.post.expand.author.handle", jsonObject{"post": post}),
		batchItem("PUT", comments+"?expand=author", jsonObject{"post": post, "text": "nice"}),
		batchItem("POST", comments, jsonObject{"post": post, "text": "plain"}))
	if a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	var results []struct {
		Status int
		Body   map[string]any
	}
	if err := json.Unmarshal([]byte(a.Raw), &results); err != nil || len(results) != 3 {
		t.Fatalf("%v in %s", err, a.Raw)
	}
	text := func(i int) string { encoded, _ := json.Marshal(results[i].Body); return string(encoded) }
	if want := `{"expand":{"post":{"expand":{"author":{"handle":"ada"}}}},"post":"` + post + `"}`; text(0) != want {
		t.Errorf("the like is shown as %s, want %s", text(0), want)
	}
	if !strings.Contains(text(1), `"handle":"bob"`) || results[1].Body["text"] != "nice" {
		t.Errorf("the comment is shown as %s", text(1))
	}
	if strings.Contains(text(2), "expand") || results[2].Body["text"] != "plain" {
		t.Errorf("the plain comment is shown as %s", text(2))
	}
	if got := fmt.Sprint(shown); got != "[ada in a transaction: false bob in a transaction: false]" {
		t.Errorf("enriched: %s", got)
	}
	t.Run("and a batch that fails answers as ever", func(t *testing.T) {
		a := sendBatch(bob, batchItem("POST", likes+"?expand=post", jsonObject{"post": "missing00000000"}))
		if a.Status != 400 || !strings.Contains(a.Raw, "batch_request_failed") {
			t.Errorf("%d %s", a.Status, a.Raw)
		}
	})
}

// Files are processed under the write lock, so a batch may bring only a few.
func TestBatchBringsFewFiles(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	create := batchItem("POST", "/api/collections/posts/records", jsonObject{"caption": "x"})
	send := func(c *hookstest.Client, photo []byte) hookstest.Answer {
		payload, err := json.Marshal(jsonObject{"requests": []jsonObject{create, create}})
		if err != nil {
			t.Fatal(err)
		}
		return c.Do("POST", "/api/batch", &hookstest.Upload{
			Fields: map[string]string{"@jsonPayload": string(payload)},
			Files:  map[string][]byte{"requests.0.photos": photo, "requests.1.photos": photo},
		})
	}
	if a := send(s.As("ada"), make([]byte, 5<<20)); a.Status != 400 || !strings.Contains(a.Raw, "too large together") {
		t.Errorf("10 MB: %d %s", a.Status, a.Raw)
	}
	if a := send(s.As("ada"), hookstest.Photo()); a.Status != 200 {
		t.Errorf("two small photos: %d %s", a.Status, a.Raw)
	}
}
