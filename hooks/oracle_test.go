package hooks_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestOracle asks every collection, with every verb and in every way, for an id that never existed, for one that
// exists but not for the asker, and for one that is gone. The status, the body with the id masked and the headers
// must be the same. A new collection fails until newOracleWorld has a row of it.
//
// Where clients choose ids (posts, comments) a create under a fresh id succeeds; there the other two must get the
// answer to a malformed id.
func TestOracle(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	w := newOracleWorld(t)
	for _, name := range []string{"guest", "carol", "dave"} {
		asker := w.service.Guest()
		if name != "guest" {
			asker = w.service.As(name)
		}
		for _, d := range w.allRequests(t, asker) {
			rows, known := w.rows[d.collection]
			if !known {
				t.Fatalf("hiddenRows has no row of %s", d.collection)
			}
			there := append(slices.Clone(rows.there), rows.thereFor[name]...)
			t.Run(name+" "+d.name, func(t *testing.T) { d.compareAnswers(t, w, there, rows.gone) })
		}
	}
}

// hiddenRow is the rows of a collection that no asker may see: some that exist for others, and one that is gone.
type hiddenRow struct {
	there    []string
	thereFor map[string][]string // hidden from this asker alone
	gone     string
}

type oracleWorld struct {
	service     *hookstest.Service
	collections []*core.Collection
	rows        map[string]hiddenRow
	files       map[string]string // of a hidden record, by its id
	public      string            // a post of ada's that everybody but dave sees
	comment     string            // a comment on it
	story       string
	next        int
}

// neverUsedID returns an id that never existed.
func (w *oracleWorld) neverUsedID() string {
	w.next++
	return fmt.Sprintf("never%010d", w.next)
}

// oracleRequest is one way to ask for an id of a collection.
type oracleRequest struct {
	collection, name string
	ask              func(id string) hookstest.Answer
	choosesID        bool // a create under an id that the client may choose
}

func (d oracleRequest) compareAnswers(t *testing.T, w *oracleWorld, there []string, gone string) {
	ask := func(id string) string { return maskAnswer(d.ask(id), id) }
	never := ask(w.neverUsedID())
	if d.choosesID && strings.HasPrefix(never, "200") {
		never = ask("NOTANIDATALL000") // as long, but malformed
		if !strings.HasPrefix(never, "400") {
			t.Fatalf("a malformed id: %s", never)
		}
	}
	for _, id := range there {
		if got := ask(id); got != never {
			t.Errorf("there, but not for the asker:\n%s\nnot there:\n%s", got, never)
		}
	}
	if got := ask(gone); got != never {
		t.Errorf("gone:\n%s\nnever there:\n%s", got, never)
	}
}

var (
	volatileValues = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z|"(id|handle|name|email|photo|endpoint|note)":"[^"]*"|photo_[a-z0-9]+\.jpg`)
	ignoredHeaders = []string{"Date", "Content-Length"} // the length is the body's, which is compared
)

// maskAnswer returns an answer without the id and without what differs from one request to the next.
func maskAnswer(a hookstest.Answer, id string) string {
	text := fmt.Sprintf("%d %s", a.Status, volatileValues.ReplaceAllString(strings.ReplaceAll(a.Raw, id, "ID"), "…"))
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		if !slices.Contains(ignoredHeaders, name) {
			text += "\n" + name + ": " + strings.ReplaceAll(strings.Join(a.Header[name], ", "), id, "ID")
		}
	}
	return text
}

// createBody returns the fields that a create in the collection needs besides those that the request adds. A
// collection in which no client creates refuses before it reads the body.
func (w *oracleWorld) createBody(name string) jsonObject {
	w.next++
	on := rowSubjects{user: w.service.User("eve").Id, post: w.public, comment: w.comment, story: w.story}
	switch name {
	case "users":
		return jsonObject{"email": fmt.Sprintf("newcomer%d@example.com", w.next), "password": hookstest.Password, "passwordConfirm": hookstest.Password}
	case "devices":
		return jsonObject{"kind": "fcm", "endpoint": fmt.Sprintf("a-phone-with-an-android-%d", w.next)}
	case "reports":
		return jsonObject{"user": w.service.User("bob").Id, "note": fmt.Sprint(w.next)}
	case "follows":
		on.user = w.service.User("bob").Id
	}
	if row := clientRows[name]; row != nil {
		return row(on)
	}
	return nil
}

// sendCreate creates with a body, or upserts, in a request of its own or in a batch. Where a photo is required it
// sends one.
func (w *oracleWorld) sendCreate(c *hookstest.Client, method, collection string, body jsonObject, batch bool) hookstest.Answer {
	files := map[string][]byte{}
	photo := map[string]string{"posts": "photos", "stories": "photo"}[collection]
	path, sent := "/api/collections/"+collection+"/records", any(body)
	if batch {
		sent = jsonObject{"requests": []jsonObject{{"method": method, "url": path, "body": body}}}
		method, path = "POST", "/api/batch"
		if photo != "" {
			photo = "requests.0." + photo
		}
	}
	if photo != "" {
		files[photo] = hookstest.Photo()
		payload, _ := json.Marshal(sent) // strings and maps
		sent = &hookstest.Upload{Fields: map[string]string{"@jsonPayload": string(payload)}, Files: files}
	}
	return c.Do(method, path, sent)
}

// allRequests returns all ways in which c may ask.
func (w *oracleWorld) allRequests(t *testing.T, c *hookstest.Client) (all []oracleRequest) {
	stream := c.Listen()
	for _, collection := range w.collections {
		name := collection.Name
		add := func(what string, ask func(id string) hookstest.Answer) *oracleRequest {
			all = append(all, oracleRequest{collection: name, name: name + " " + what, ask: ask})
			return &all[len(all)-1]
		}
		get := func(what string, path func(id string) string) {
			add(what, func(id string) hookstest.Answer { return c.Do("GET", path(id), nil) })
		}
		with := func(body jsonObject, field, id string) jsonObject {
			body = maps.Clone(body)
			if body == nil {
				body = jsonObject{}
			}
			body[field] = id
			return body
		}
		single := "/api/collections/" + name + "/records/"
		get("view", func(id string) string { return single + id + "?expand=post,comment,story,user,author,followee" })
		add("view by HEAD", func(id string) hookstest.Answer { return c.Do("HEAD", single+id, nil) })
		get("list", func(id string) string {
			return "/api/collections/" + name + "/records?filter=" + escapeQuery("id = '"+id+"'")
		})
		get("file", func(id string) string {
			return "/api/files/" + name + "/" + id + "/" + firstNonEmpty(w.files[id], "photo_abcdefghij.jpg")
		})
		get("thumb", func(id string) string {
			return "/api/files/" + name + "/" + id + "/" + firstNonEmpty(w.files[id], "photo_abcdefghij.jpg") + "?thumb=100x100"
		})
		add("update", func(id string) hookstest.Answer { return c.Do("PATCH", single+id, w.createBody(name)) })
		add("update of nothing", func(id string) hookstest.Answer { return c.Do("PATCH", single+id, jsonObject{}) })
		add("update with a broken body", func(id string) hookstest.Answer { return c.Do("PATCH", single+id, "{") })
		add("delete", func(id string) hookstest.Answer { return c.Do("DELETE", single+id, nil) })
		for _, method := range []string{"PATCH", "DELETE"} {
			add(method+" in a batch", func(id string) hookstest.Answer {
				return c.Do("POST", "/api/batch", jsonObject{"requests": []jsonObject{{"method": method, "url": single + id, "body": w.createBody(name)}}})
			})
		}
		chooses := name == "posts" || name == "comments"
		add("create with the id", func(id string) hookstest.Answer {
			return w.sendCreate(c, "POST", name, with(w.createBody(name), "id", id), false)
		}).choosesID = chooses
		add("create with the id in a batch", func(id string) hookstest.Answer {
			return w.sendCreate(c, "POST", name, with(w.createBody(name), "id", id), true)
		}).choosesID = chooses
		add("upsert", func(id string) hookstest.Answer {
			return w.sendCreate(c, "PUT", name, with(w.createBody(name), "id", id), true)
		}).choosesID = chooses
		add("upsert of nothing", func(id string) hookstest.Answer { return w.sendCreate(c, "PUT", name, jsonObject{"id": id}, true) }).choosesID = chooses
		add("refused create with the id", func(id string) hookstest.Answer {
			return w.sendCreate(c, "POST", name, jsonObject{"id": id, "text": " ", "caption": strings.Repeat("x", 3000), "post": w.public, "email": "none"}, false)
		})
		add("subscribe", func(id string) hookstest.Answer {
			return c.Do("POST", "/api/realtime", jsonObject{"clientId": stream.ClientID, "subscriptions": []string{name + "/" + id}})
		})

		for _, from := range w.collections { // whatever can refer to a row of this collection
			for _, field := range from.Fields {
				relation, ok := field.(*core.RelationField)
				if !ok || relation.CollectionId != collection.Id {
					continue
				}
				source := from.Name
				body := func(id string) jsonObject {
					body := with(w.createBody(source), relation.Name, id)
					if source == "mutes" && relation.Name == "post" {
						delete(body, "muted")
					}
					return body
				}
				as := source + "." + relation.Name
				add("as "+as, func(id string) hookstest.Answer { return w.sendCreate(c, "POST", source, body(id), false) })
				add("as "+as+" of an upsert", func(id string) hookstest.Answer { return w.sendCreate(c, "PUT", source, body(id), true) })
				own, err := w.service.App.FindFirstRecordByFilter(source, firstNonEmpty(ownerField(source), "id")+" = {:me}", dbx.Params{"me": firstNonEmpty(c.ID, "-")})
				if err == nil {
					add("as "+as+" of an update", func(id string) hookstest.Answer {
						return c.Do("PATCH", "/api/collections/"+source+"/records/"+own.Id, jsonObject{relation.Name: id})
					})
				}
			}
		}
		switch name {
		case "posts":
			get("page", func(id string) string { return "/p/" + id })
		case "users":
			get("profile page", func(id string) string {
				if user := w.service.Record("users", id); user != nil && c.Name == "guest" {
					return "/@" + user.GetString("handle")
				}
				return "/@nosuchhandle"
			})
		case "hashtags":
			get("tag page", func(id string) string {
				if tag := w.service.Record("hashtags", id); tag != nil {
					return "/tags/" + tag.GetString("name")
				}
				return "/tags/nosuchtag"
			})
		case "reports":
			add("decision", func(id string) hookstest.Answer {
				return c.Do("POST", "/api/v1/moderation/"+id, jsonObject{"action": "dismiss"})
			})
		}
	}
	return all
}

// ownerField returns the field that names a row's owner, also where no client creates.
func ownerField(name string) string {
	return firstNonEmpty(collection.Describe(name).Owner, map[string]string{"settings": "user", "notifications": "recipient"}[name])
}

func firstNonEmpty(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// newOracleWorld makes a world in which every collection has a row that neither a guest, nor carol, nor dave may see,
// and one that is gone.
func newOracleWorld(t *testing.T) *oracleWorld {
	s := hookstest.New(t)
	w := &oracleWorld{service: s, rows: map[string]hiddenRow{}, files: map[string]string{}}
	all, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if !strings.HasPrefix(c.Name, "_") {
			w.collections = append(w.collections, c)
		}
	}
	there := func(collection string, ids ...string) {
		row := w.rows[collection]
		row.there = append(row.there, ids...)
		w.rows[collection] = row
	}
	gone := func(collection, id string) {
		t.Helper()
		if record := s.Record(collection, id); record != nil {
			if err := s.App.Delete(record); err != nil {
				t.Fatalf("delete %s %s: %v", collection, id, err)
			}
		}
		row := w.rows[collection]
		row.gone = id
		w.rows[collection] = row
	}
	one := func(collection, condition string, params ...any) string {
		t.Helper()
		record, err := s.App.FindFirstRecordByFilter(collection, fmt.Sprintf(condition, params...))
		if err != nil {
			t.Fatalf("find %s where %s: %v", collection, fmt.Sprintf(condition, params...), err)
		}
		return record.Id
	}
	admin, ada, bob, eve := s.Admin(), s.As("ada"), s.As("bob"), s.As("eve")
	w.public = ada.Post("hello")
	w.comment = ada.Comment(w.public, "", "hello")
	w.story = ada.Story()
	bob.Follow("ada")
	for _, name := range []string{"carol", "dave"} { // rows of the askers' own, for updates
		c := s.As(name)
		c.Like(w.public)
		c.Create("saves", jsonObject{"post": w.public})
		c.Create("mutes", jsonObject{"muted": eve.ID})
		c.Comment(w.public, "", "mine")
		c.Post("mine")
		c.Follow("bob")
		c.Create("devices", jsonObject{"kind": "fcm", "endpoint": name + "s-phone-is-an-android"})
	}

	// everything twice: once to stay and once to go
	goes := map[string]string{}
	for _, stays := range []bool{true, false} {
		word := map[bool]string{true: "stays", false: "goes"}[stays]
		id := ada.Post("#"+word, "visibility", "followers")
		comment, story := ada.Comment(id, "", "hello"), ada.Story("visibility", "followers")
		other := map[bool]*hookstest.Client{true: eve, false: s.As("mallory")}[stays]
		if stays {
			w.files[id], w.files[story] = s.Record("posts", id).GetStringSlice("photos")[0], s.Record("stories", story).GetString("photo")
		}
		rows := map[string]string{
			"posts": id, "comments": comment, "stories": story, "likes": bob.Like(id),
			"saves":            bob.Create("saves", jsonObject{"post": id}).ID(),
			"comment_likes":    bob.Create("comment_likes", jsonObject{"comment": comment}).ID(),
			"story_views":      bob.Create("story_views", jsonObject{"story": story}).ID(),
			"mutes":            bob.Create("mutes", jsonObject{"muted": other.ID}).ID(),
			"blocks":           bob.Block(other.Name),
			"reports":          bob.Create("reports", jsonObject{"post": id}).ID(),
			"devices":          bob.Create("devices", jsonObject{"kind": "fcm", "endpoint": "bobs-phone-that-" + word + "-is-an-android"}).ID(),
			"hashtags":         one("hashtags", "name = '%s'", word),
			"post_tags":        one("post_tags", "post = '%s'", id),
			"feed":             one("feed", "post = '%s' && viewer = '%s'", id, bob.ID),
			"notifications":    one("notifications", "recipient = '%s' && post = '%s' && type = 'like'", ada.ID, id),
			"audit":            admin.Create("audit", jsonObject{"action": "test"}).ID(),
			"hidden_posts":     admin.Create("hidden_posts", jsonObject{"viewer": s.As("carol").ID, "post": id}).ID(),
			"jobs":             admin.Create("jobs", jsonObject{"kind": "test", "state": "dead"}).ID(),
			"idempotency":      admin.Create("idempotency", jsonObject{"user": ada.ID, "key": word}).ID(),
			"account_sessions": admin.Create("account_sessions", jsonObject{"user": ada.ID, "device": word, "lastSeen": longAgo, "ends": longAgo}).ID(),
			"handles":          admin.Create("handles", jsonObject{"name": "taken_" + word}).ID(),
			"secrets":          admin.Create("secrets", jsonObject{"name": word, "value": "x"}).ID(),
			"webhooks":         admin.Create("webhooks", jsonObject{"url": "https://example.com/" + word, "disabled": true}).ID(),
		}
		for _, name := range collection.EdgeNames() {
			if rows[name] == "" && name != "follows" { // those are below
				rows[name] = bob.Create(name, clientRows[name](rowSubjects{user: other.ID, post: id, comment: comment, story: story})).ID()
			}
		}
		for collection, row := range rows {
			if stays {
				there(collection, row)
			} else {
				goes[collection] = row
			}
		}
		event := one("notification_events", "recipient = '%s' && subject = '%s'", ada.ID, id)
		delivery := admin.Create("webhook_deliveries", jsonObject{"webhook": one("webhooks", "url ~ '%s'", word), "event": "evt_" + word, "state": "dead"}).ID()
		mallory := s.As("mallory")
		mallory.Delete("likes", mallory.Like(ada.Post("hello"))) // leaves a retraction
		if stays {
			there("notification_events", event)
			there("webhook_deliveries", delivery)
			there("retractions", one("retractions", "recipient = '%s'", ada.ID))
			continue
		}
		goes["notification_events"], goes["webhook_deliveries"] = event, delivery
		goes["retractions"] = one("retractions", "recipient = '%s' && id != '%s'", ada.ID, w.rows["retractions"].there[0])
	}
	gone("posts", goes["posts"]) // and the rows that depend on it
	for collection, id := range goes {
		gone(collection, id)
	}

	asks, left := s.Someone(1), s.Someone(2)
	eve.Update("users", eve.ID, jsonObject{"private": true})
	there("follows", asks.Create("follows", jsonObject{"followee": eve.ID}).ID())
	gone("follows", left.Create("follows", jsonObject{"followee": eve.ID}).ID())

	suspended, erased := s.Someone(3), s.Someone(4)
	admin.Update("users", suspended.ID, jsonObject{"state": "suspended"})
	there("users", suspended.ID)
	there("settings", one("settings", "user = '%s'", ada.ID))
	settings := one("settings", "user = '%s'", erased.ID)
	gone("users", erased.ID)
	gone("settings", settings)
	row := w.rows["users"]
	row.thereFor = map[string][]string{"dave": {ada.ID}, "carol": {s.As("mallory").ID}}
	w.rows["users"] = row
	ada.Block("dave")
	s.As("mallory").Block("carol")
	return w
}
