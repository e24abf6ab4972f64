package cli_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/testenv"
)

// tampering is a change that somebody makes to the database without the service, and what becomes of it.
type tampering struct {
	want     string // the invariant that it breaks, by its label
	damage   []string
	heal     []string // what a person does if nothing is repaired, and what removes the rows that were added
	reported bool     // it is not repaired
	lost     string   // why the data is not the same as before; empty if it must be
}

const (
	aPost         = `(SELECT id FROM posts WHERE visibility = 'public' ORDER BY likesCount DESC, id LIMIT 1)`
	aFollow       = `(SELECT id FROM follows f WHERE state = 'accepted' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = f.followee AND u.private) LIMIT 1)`
	aLike         = `(SELECT l.id FROM likes l JOIN posts p ON p.id = l.post WHERE l.user != p.author AND l.created > strftime('%Y-%m-%d', 'now', '-5 days') LIMIT 1)`
	aReply        = `(SELECT id FROM comments c WHERE parent != '' AND EXISTS (SELECT 1 FROM comments o WHERE o.parent = c.parent AND o.id != c.id) LIMIT 1)`
	aWord         = `(SELECT id FROM comments WHERE NOT deleted AND text != '' LIMIT 1)`
	aComment      = `(SELECT id FROM comments WHERE parent = '' AND repliesCount = 0 AND NOT deleted AND author != (SELECT p.author FROM posts p WHERE p.id = post) LIMIT 1)`
	anEvent       = `(SELECT id FROM notification_events WHERE active AND notification != '' AND type = 'like' ORDER BY created DESC LIMIT 1)`
	aNotification = `(SELECT id FROM notifications WHERE type = 'like' AND actorsCount > 1 LIMIT 1)`
	now           = `strftime('%Y-%m-%d %H:%M:%fZ', 'now')`
	inserted      = `'tampered0000001'`
)

// deviceInsert returns the SQL that stores a device, which the small world does not have.
func deviceInsert(n int, keys string) string {
	return fmt.Sprintf(`INSERT INTO devices (id, user, kind, endpoint, keys, created, updated) VALUES ('tamperdevice%03d', %s, 'fcm', 'token-%d', '%s', %s, %s)`, n, someUser, n, keys, now, now)
}

func jobInserts(state, due, kind, payload string) []string {
	return []string{fmt.Sprintf(`INSERT INTO jobs (id, kind, payload, state, runAt, created, updated) VALUES (%s, '%s', '%s', '%s', %s, %s, %s)`, inserted, kind, payload, state, due, now, now)}
}

func edgeInsert(table, id, a, b string) string {
	ends := collection.Describe(table).Ends
	if id == "" {
		id = fmt.Sprintf("doubletap_key('%s', a, b%s)", table, strings.Repeat(", ''", len(ends)-2))
	}
	return fmt.Sprintf(`INSERT INTO %s (id, %s, %s, created, updated) SELECT %s, a, b, %s, %s FROM (SELECT %s a, %s b)`, table, ends[0], ends[1], id, now, now, a, b)
}

// tamperings returns at least one for each invariant, except those in examinedElsewhere.
func tamperings() map[string]tampering {
	all := map[string]tampering{
		"an empty handle":             {want: "handle", damage: []string{`UPDATE users SET handle = '' WHERE id = ` + someUser}, lost: "another handle is made of the name"},
		"a handle that is none":       {want: "handle-form", reported: true, damage: []string{`UPDATE users SET handle = 'No Handle!' WHERE id = ` + someUser}, heal: []string{`UPDATE users SET handle = 'healed' WHERE handle = 'No Handle!'`}, lost: "healed by hand"},
		"a state that is none":        {want: "state", reported: true, damage: []string{`UPDATE users SET state = 'banned' WHERE id = ` + someUser}, heal: []string{`UPDATE users SET state = 'active' WHERE state = 'banned'`}},
		"a role that is none":         {want: "role", damage: []string{`UPDATE users SET role = 'king' WHERE id = ` + someUser}},
		"an erasure without a job":    {want: "erasure", damage: []string{`UPDATE users SET state = 'deleting' WHERE id = ` + someUser}, heal: []string{`UPDATE users SET state = 'active' WHERE state = 'deleting'`, `DELETE FROM jobs WHERE kind = 'account.erase'`}},
		"a device of the suspended":   {want: "device-account", damage: []string{`UPDATE users SET state = 'suspended' WHERE id = ` + someUser, deviceInsert(1, "{}")}, heal: []string{`UPDATE users SET state = 'active' WHERE state = 'suspended'`}},
		"keys that are no object":     {want: "device-keys", reported: true, damage: []string{deviceInsert(1, "5")}, heal: []string{`DELETE FROM devices`}},
		"settings gone":               {want: "settings", damage: []string{`DELETE FROM settings WHERE user = ` + someUser}, lost: "what the person wished is gone"},
		"seq behind":                  {want: "seq", damage: []string{`UPDATE settings SET seq = 0`}},
		"preferences that are a list": {want: "preferences", damage: []string{`UPDATE settings SET notify = '[1]' WHERE user = ` + someUser}},
		"preferences that are broken": {want: "preferences", damage: []string{`UPDATE settings SET notify = '{x' WHERE user = ` + someUser}},
		"a digest that is none":       {want: "digest", damage: []string{`UPDATE settings SET digest = 'yearly' WHERE user = ` + someUser}},
		"quiet hours without an end":  {want: "quiet-hours", damage: []string{`UPDATE settings SET quietFrom = '22:00' WHERE user = ` + someUser}},
		"an audience that is none":    {want: "visibility", damage: []string{`UPDATE posts SET visibility = 'all' WHERE id = ` + aPost}, lost: "the widest that is sure is its author's alone"},
		"a post without photos":       {want: "photos", reported: true, damage: []string{`CREATE TEMP TABLE kept_photos AS SELECT id, photos FROM posts`, `UPDATE posts SET photos = '[]' WHERE id = ` + aPost}, heal: []string{`UPDATE posts SET photos = (SELECT photos FROM kept_photos k WHERE k.id = posts.id)`, `DROP TABLE kept_photos`, `DELETE FROM jobs WHERE dedupe LIKE 'repair/%'`}},
		"descriptions that are text":  {want: "alts", damage: []string{`UPDATE posts SET alts = '"a cat"' WHERE id = ` + aPost}, lost: "there were others"},
		"descriptions of numbers":     {want: "alts", damage: []string{`UPDATE posts SET alts = '[1, "a cat"]' WHERE id = ` + aPost}, lost: "there were others"},
		"media that is a number":      {want: "media", damage: []string{`CREATE TEMP TABLE kept_media AS SELECT id, media FROM posts`, `UPDATE posts SET media = '5' WHERE id = ` + aPost}, heal: []string{`UPDATE posts SET media = (SELECT media FROM kept_media k WHERE k.id = posts.id)`, `DROP TABLE kept_media`, `DELETE FROM jobs WHERE dedupe LIKE 'repair/%'`}},
		"a hashtag lost":              {want: "hashtags", damage: []string{`DELETE FROM post_tags WHERE id = (SELECT id FROM post_tags LIMIT 1)`}},
		"a hashtag that is not said":  {want: "hashtags", damage: []string{`INSERT INTO post_tags (id, tag, post, created, updated) SELECT ` + inserted + `, h.id, p.id, ` + now + `, ` + now + ` FROM hashtags h, posts p WHERE NOT EXISTS (SELECT 1 FROM post_tags WHERE tag = h.id AND post = p.id) LIMIT 1`}},
		"words that were others":      {want: "words of posts", damage: []string{`UPDATE search_posts SET words = 'other words' WHERE id = ` + aPost}},
		"words that wait for nobody":  {want: "found of posts", damage: []string{`UPDATE search_posts SET words = NULL WHERE id = ` + aPost}},
		"words that are not found":    {want: "found of posts", damage: []string{`DELETE FROM search_posts_words WHERE rowid = (SELECT n FROM search_posts WHERE id = ` + aPost + `)`}},
		"a story without an end":      {want: "story-end", damage: []string{`UPDATE stories SET expires = ''`}, lost: "it is a day after it began"},
		"a story of many years":       {want: "story-day", reported: true, damage: []string{`CREATE TEMP TABLE kept_ends AS SELECT id, expires FROM stories`, `UPDATE stories SET expires = '2099-01-01 00:00:00.000Z'`}, heal: []string{`UPDATE stories SET expires = (SELECT expires FROM kept_ends k WHERE k.id = stories.id)`, `DROP TABLE kept_ends`}},
		"a story for nobody":          {want: "story-visibility", damage: []string{`UPDATE stories SET visibility = 'x' WHERE id = (SELECT id FROM stories LIMIT 1)`}, lost: "the narrower one is taken"},
		"a report in no state":        {want: "report-state", damage: []string{`INSERT INTO reports (id, reporter, post, state, created, updated) VALUES (` + inserted + `, ` + someUser + `, ` + aPost + `, 'new', ` + now + `, ` + now + `)`}, heal: []string{`DELETE FROM reports`}},
		"somebody follows themselves": {want: "self of follows", damage: []string{edgeInsert("follows", "", someUser, someUser), `UPDATE follows SET state = 'accepted' WHERE follower = followee`}},
		"somebody blocks themselves":  {want: "self of blocks", damage: []string{edgeInsert("blocks", "", someUser, someUser)}},
		"somebody mutes themselves":   {want: "self of mutes", damage: []string{edgeInsert("mutes", "", someUser, someUser)}},
		"one views one's own story":   {want: "self of story_views", damage: []string{edgeInsert("story_views", "", `(SELECT id FROM stories LIMIT 1)`, `(SELECT author FROM stories LIMIT 1)`)}},
		"a follow across a block":     {want: "block of follows", damage: []string{edgeInsert("blocks", "", `(SELECT followee FROM follows WHERE id = `+aFollow+`)`, `(SELECT follower FROM follows WHERE id = `+aFollow+`)`)}, heal: []string{`DELETE FROM blocks`}, lost: "a block ends a follow"},
		"a tray across a block":       {want: "block of notifications", damage: []string{edgeInsert("blocks", "", `(SELECT recipient FROM notification_events WHERE id = `+anEvent+`)`, `(SELECT actor FROM notification_events WHERE id = `+anEvent+`)`)}, heal: []string{`DELETE FROM blocks`}, lost: "a block takes back what was told"},
		"a follow in no state":        {want: "follow-state", damage: []string{`UPDATE follows SET state = 'maybe' WHERE id = ` + aFollow}, lost: "the follower is told that it is accepted"},
		"a request to a public one":   {want: "request", damage: []string{`UPDATE follows SET state = 'pending' WHERE id = ` + aFollow}, lost: "the follower is told that it is accepted"},
		"a mute of nothing":           {want: "mute", damage: []string{`INSERT INTO mutes (id, muter, created, updated) SELECT doubletap_key('mutes', u, '', ''), u, ` + now + `, ` + now + ` FROM (SELECT ` + someUser + ` u)`}},
		"a mute of two":               {want: "mute-of-one", reported: true, damage: []string{`INSERT INTO mutes (id, muter, muted, post, created, updated) SELECT doubletap_key('mutes', u, m, p), u, m, p, ` + now + `, ` + now + ` FROM (SELECT ` + someUser + ` u, (SELECT author FROM posts WHERE author != ` + someUser + ` LIMIT 1) m, ` + aPost + ` p)`}, heal: []string{`DELETE FROM mutes`}},
		"a comment on itself":         {want: "root", damage: []string{`UPDATE comments SET parent = id WHERE id = ` + aComment}},
		"a reply to a reply":          {want: "depth", damage: []string{`UPDATE comments SET parent = (SELECT o.id FROM comments o WHERE o.parent = comments.parent AND o.id != comments.id LIMIT 1) WHERE id = ` + aReply}},
		"a reply under another post":  {want: "thread", damage: []string{`UPDATE comments SET post = (SELECT id FROM posts p WHERE p.id != comments.post LIMIT 1) WHERE id = ` + aReply}, lost: "what was told of it there is undone and not told again"},
		"a tombstone with words":      {want: "tombstone", damage: []string{`UPDATE comments SET deleted = 1 WHERE id = ` + aWord}, lost: "it was deleted"},
		"words of nobody":             {want: "author", damage: []string{`UPDATE comments SET author = '' WHERE id = ` + aWord}, lost: "nobody knows whose they were"},
		"a comment without words":     {want: "words", reported: true, damage: []string{`CREATE TEMP TABLE kept_words AS SELECT id, text FROM comments`, `UPDATE comments SET text = '' WHERE id = ` + aComment}, heal: []string{`UPDATE comments SET text = (SELECT text FROM kept_words k WHERE k.id = comments.id)`, `DROP TABLE kept_words`}},
		"a like nobody was told of":   {want: "told of likes", damage: []string{`DELETE FROM notification_events WHERE type = 'like' AND EXISTS (SELECT 1 FROM likes l WHERE l.id = ` + aLike + ` AND l.post = subject AND l.user = actor)`}, lost: "it is told anew"},
		"a follow nobody knows of":    {want: "told of follows", damage: []string{`UPDATE follows SET created = ` + now + ` WHERE id = ` + aFollow, `DELETE FROM notification_events WHERE type IN ('follow', 'follow_request') AND EXISTS (SELECT 1 FROM follows f WHERE f.id = ` + aFollow + ` AND f.followee = recipient AND f.follower = actor)`}, lost: "it is told anew"},
		"a comment nobody knows of":   {want: "told of comments", damage: []string{`UPDATE comments SET created = ` + now + ` WHERE id = ` + aComment, `DELETE FROM notification_events WHERE type = 'comment' AND EXISTS (SELECT 1 FROM comments c WHERE c.id = ` + aComment + ` AND c.post = subject AND c.author = actor)`}, lost: "it is told anew"},
		"a comment's like likewise":   {want: "told of comment_likes", damage: []string{`UPDATE comment_likes SET created = ` + now, `DELETE FROM notification_events WHERE type = 'comment_like'`}, lost: "they are told anew"},
		"told of oneself":             {want: "self-event", damage: []string{`UPDATE OR IGNORE notification_events SET actor = recipient WHERE id = ` + anEvent}, lost: "the like is told anew"},
		"a like taken back by SQL":    {want: "undone", damage: []string{`DELETE FROM likes WHERE EXISTS (SELECT 1 FROM notification_events e WHERE e.id = ` + anEvent + ` AND e.subject = likes.post AND e.actor = likes.user)`}, lost: "the like is gone"},
		"a mention of no words":       {want: "undone", damage: []string{`INSERT INTO notification_events (id, recipient, actor, type, subject, active, created, updated) SELECT ` + inserted + `, u.id, (SELECT id FROM users WHERE id != u.id LIMIT 1), 'mention', 'nosuchpost00000', 1, ` + now + `, ` + now + ` FROM users u LIMIT 1`}, heal: []string{`DELETE FROM notification_events WHERE id = ` + inserted}},
		"an event in another's tray":  {want: "event-tray", damage: []string{`UPDATE notification_events SET notification = (SELECT id FROM notifications n WHERE n.recipient != notification_events.recipient LIMIT 1) WHERE id = ` + anEvent}, lost: "it is taken out of the tray, and of its own it was"},
		"a key of another type":       {want: "group-key", damage: []string{`UPDATE notifications SET groupKey = 'nothing' WHERE id = ` + aNotification}},
		"a notification of no time":   {want: "latest", damage: []string{`UPDATE notifications SET latestAt = '' WHERE id = ` + aNotification}},
		"a change without a place":    {want: "order", damage: []string{`UPDATE notifications SET seq = 0 WHERE id = ` + aNotification}},
		"two changes in one place":    {want: "order", damage: []string{`INSERT INTO retractions (id, recipient, notification, seq, created, updated) SELECT ` + inserted + `, recipient, 'longgone0000000', seq, ` + now + `, ` + now + ` FROM notifications WHERE id = ` + aNotification}, heal: []string{`DELETE FROM retractions WHERE id = ` + inserted}},
		"retracted and there":         {want: "retracted", damage: []string{`INSERT INTO retractions (id, recipient, notification, seq, created, updated) SELECT ` + inserted + `, recipient, id, 0, ` + now + `, ` + now + ` FROM notifications WHERE id = ` + aNotification}},
		"actors miscounted":           {want: "actors", damage: []string{`UPDATE notifications SET actorsCount = 99 WHERE id = ` + aNotification}},
		"actors misnamed":             {want: "actors", damage: []string{`UPDATE notifications SET actors = '[]' WHERE id = ` + aNotification}},
		"a job in no state":           {want: "job-state", damage: jobInserts("lost", now, "retention", "null"), heal: []string{`DELETE FROM jobs WHERE id = ` + inserted}},
		"a lease for ever":            {want: "lease", damage: jobInserts("running", "'2099-01-01 00:00:00.000Z'", "retention", "null"), heal: []string{`DELETE FROM jobs WHERE id = ` + inserted}},
		"a job that is never due":     {want: "job-due", damage: jobInserts("ready", "''", "retention", "null"), heal: []string{`DELETE FROM jobs WHERE id = ` + inserted}},
		"a job of broken words":       {want: "job-payload", damage: jobInserts("ready", now, "retention", "{x"), heal: []string{`DELETE FROM jobs WHERE id = ` + inserted}},
		"a job in many years":         {want: "job-far", reported: true, damage: jobInserts("ready", "'2099-01-01 00:00:00.000Z'", "retention", "null"), heal: []string{`DELETE FROM jobs WHERE id = ` + inserted}},
		"a job that nobody knows":     {want: "job-kind", reported: true, damage: jobInserts("ready", now, "no.such", "null"), heal: []string{`DELETE FROM jobs WHERE id = ` + inserted}},
		"a reserved name of nothing":  {want: "reserved-name", damage: []string{`INSERT INTO handles (id, name, created, updated) VALUES (` + inserted + `, '', ` + now + `, ` + now + `)`}},
		"a name kept for ever":        {want: "reserved-until", damage: []string{`INSERT INTO handles (id, name, until, created, updated) VALUES (` + inserted + `, 'keptname', '2099-01-01 00:00:00.000Z', ` + now + `, ` + now + `)`}, heal: []string{`DELETE FROM handles WHERE id = ` + inserted}},
		"a name kept for nobody":      {want: "reserved-for", damage: []string{`INSERT INTO handles (id, name, user, until, created, updated) VALUES (` + inserted + `, 'keptname', 'nosuchuser00000', ` + now + `, ` + now + `, ` + now + `)`}, heal: []string{`DELETE FROM handles WHERE id = ` + inserted}},
		"a dead one's name":           {want: "deleted-name", reported: true, damage: []string{`INSERT INTO handles (id, name, reason, created, updated) SELECT ` + inserted + `, handle, 'deleted', ` + now + `, ` + now + ` FROM users WHERE id = ` + someUser}, heal: []string{`DELETE FROM handles WHERE id = ` + inserted}},
		"a tray seen in 2099":         {want: "moment of settings", damage: []string{`UPDATE settings SET seenAt = '2099-01-01 00:00:00.000Z' WHERE user = ` + someUser}, lost: "it is seen until now"},
		"actors of a person gone":     {want: "relation of notifications.actors", damage: []string{`UPDATE notifications SET actors = json_insert(actors, '$[#]', 'nosuchuser00000') WHERE id = ` + aNotification}},
		"a save of no post":           {want: "relation of saves.post", damage: []string{edgeInsert("saves", "", someUser, `'nosuchpost00000'`)}},
		"a hiding of no post":         {want: "relation of hidden_posts.post", damage: []string{`INSERT INTO hidden_posts (id, viewer, post, created, updated) VALUES (` + inserted + `, ` + someUser + `, 'nosuchpost00000', ` + now + `, ` + now + `)`}},
		"a report of no comment":      {want: "relation of reports.comment", damage: []string{`INSERT INTO reports (id, reporter, comment, state, created, updated) VALUES (` + inserted + `, ` + someUser + `, 'nosuchcomment00', 'open', ` + now + `, ` + now + `)`}, heal: []string{`DELETE FROM reports`}},
		"an event in no notification": {want: "relation of notification_events.notification", damage: []string{`UPDATE notification_events SET notification = 'nosuchnotice000' WHERE id = ` + anEvent}, lost: "it was in a tray"},
		"a comment of somebody gone":  {want: "relation of comments.author", damage: []string{`UPDATE comments SET author = 'nosuchuser00000' WHERE id = ` + aReply}, lost: "its words are nobody's"},
		"a like of no post":           {want: "relation of likes.post", damage: []string{edgeInsert("likes", "", `'nosuchpost00000'`, someUser)}},
		"a notification of no post":   {want: "relation of notifications.post", damage: []string{`UPDATE notifications SET post = 'nosuchpost00000' WHERE id = ` + aNotification}, lost: "it left the tray"},
	}
	devices := []string{}
	for n := range 25 {
		devices = append(devices, deviceInsert(n, "{}"))
	}
	all["too many devices"] = tampering{want: "device-number", damage: devices, heal: []string{`DELETE FROM devices`}}
	for _, table := range []string{"users", "posts", "comments", "stories"} {
		all["a gone id of "+table] = tampering{want: "gone-id of " + table, damage: []string{`INSERT INTO gone_ids SELECT id FROM ` + table + ` LIMIT 1`}}
	}
	for _, relation := range []string{"likes.post", "follows.followee", "comments.post", "posts.author", "post_tags.tag", "notifications.recipient", "notification_events.actor", "settings.user"} {
		table, field, _ := strings.Cut(relation, ".")
		all["a BLOB for "+relation] = tampering{want: "text of " + table, damage: []string{fmt.Sprintf(`UPDATE %s SET %s = CAST(%[2]s AS BLOB) WHERE id = (SELECT id FROM %[1]s LIMIT 1)`, table, field)}}
	}
	for _, table := range []string{"posts", "users", "hashtags"} {
		all["search lost of "+table] = tampering{want: "found of " + table, damage: []string{`DELETE FROM search_` + table + ` WHERE id = (SELECT id FROM search_` + table + ` LIMIT 1)`}}
		all["search of nothing of "+table] = tampering{want: "found-gone of " + table, damage: []string{`INSERT INTO search_` + table + ` (n, id) VALUES (5, 'nosuchrow000000')`}}
		all["search of other words of "+table] = tampering{want: "words of " + table, damage: []string{`UPDATE search_` + table + ` SET words = 'other words' WHERE id = (SELECT id FROM search_` + table + ` LIMIT 1)`}}
		all["search by no word of "+table] = tampering{want: "found of " + table, damage: []string{`DELETE FROM search_` + table + `_words WHERE rowid = (SELECT n FROM search_` + table + ` WHERE words != '' LIMIT 1)`}}
	}
	for _, table := range []string{"posts", "likes", "follows", "comments", "notifications", "notification_events", "hashtags", "post_tags", "comment_likes"} {
		all["2099 of "+table] = tampering{want: "moment of " + table, damage: []string{`UPDATE ` + table + ` SET created = '2099-01-01 00:00:00.000Z' WHERE id = (SELECT id FROM ` + table + ` LIMIT 1)`}, lost: "when it was is not known"}
	}
	other := map[string][2]string{"likes": {}, "follows": {}, "comment_likes": {}, "story_views": {}, "saves": {someUser, aPost},
		"blocks": {someUser, `(SELECT u.id FROM users u WHERE u.id != ` + someUser + ` AND NOT EXISTS (SELECT 1 FROM follows f WHERE u.id IN (f.follower, f.followee) AND ` + someUser + ` IN (f.follower, f.followee)) LIMIT 1)`},
		"mutes":  {someUser, `(SELECT id FROM users WHERE id != ` + someUser + ` LIMIT 1)`}}
	for _, d := range collection.All {
		if _, known := other[d.Name]; known || len(d.Ends) == 0 {
			continue
		}
		some := map[string]string{"users": someUser, "posts": aPost, "comments": aComment, "stories": `(SELECT id FROM stories LIMIT 1)`}
		at := func(end string) string {
			return some[d.Relations[slices.IndexFunc(d.Relations, func(r collection.Relation) bool { return r.Field == end })].To]
		}
		other[d.Name] = [2]string{at(d.Ends[0]), at(d.Ends[1])}
	}
	for table, ends := range other {
		t := tampering{want: "key of " + table, damage: []string{`UPDATE ` + table + ` SET id = 'imported0000000' WHERE id = (SELECT id FROM ` + table + ` LIMIT 1)`}}
		if ends[0] != "" {
			t.damage, t.heal = []string{edgeInsert(table, `'imported0000000'`, ends[0], ends[1])}, []string{`DELETE FROM ` + table}
		}
		all["an imported edge of "+table] = t
	}
	counters := []string{"users.postsCount", "post_tags.counted"} // and those that triggers keep
	for _, d := range collection.All {
		for _, count := range d.Counts {
			counters = append(counters, count.Target+"."+count.Column)
		}
	}
	for _, counter := range counters {
		table, column, _ := strings.Cut(counter, ".")
		value := column + " + 3"
		if column == "counted" {
			value = "NOT " + column
		}
		all["a wrong "+counter] = tampering{want: "counter of " + counter, damage: []string{`UPDATE ` + table + ` SET ` + column + ` = ` + value + ` WHERE id = (SELECT id FROM ` + table + ` LIMIT 1)`}}
	}
	return all
}

// examinedElsewhere are the invariants that other tests break, with the names of the tests.
var examinedElsewhere = map[string]string{
	"integrity": "TestDoctorSeesABrokenDatabase", "migrations": "TestDoctorLeavesToAPerson", "collections": "TestDoctorLeavesToAPerson", "rules": "TestDoctorLeavesToAPerson",
	"triggers": "TestDoctorRepairs", "indexes": "TestDoctorRepairs", "addresses": "TestAccountsThatShareAnAddress", "files": "TestDoctorLeavesToAPerson",
	"described": "TestDoctorFindsWhatPhotosLack", "decoded": "TestDoctorFindsWhatPhotosLack", "renditions": "TestDoctorFindsWhatPhotosLack", "jobs": "TestDoctorLeavesToAPerson",
	"superusers": "TestDoctorTellsOfTheInstallation", "address": "TestDoctorTellsOfTheInstallation", "mail": "TestDoctorTellsOfMailThatCannotLeave",
	"encryption": "TestDoctorTellsOfTheInstallation", "folder": "TestDoctorTellsOfTheInstallation", "paths": "TestDoctorTellsOfTheInstallation",
}

func TestDoctorTellsOfTheInstallation(t *testing.T) {
	testenv.SkipSequential(t)
	s := seededService(t)
	state := func(check string) string {
		for _, f := range examineFolder(s.App) {
			if f.Check == check {
				return f.State
			}
		}
		return "not looked at"
	}
	key := cmp.Or(s.App.EncryptionEnv(), "PB_ENCRYPTION_KEY")
	admins, err := s.App.FindAllRecords(core.CollectionNameSuperusers)
	if err != nil {
		t.Fatal(err)
	}
	hook := ""
	for _, test := range []struct {
		check        string
		damage, heal func() error
	}{
		{"superusers", func() error { return nil }, func() error {
			admin, err := s.App.FindCollectionByNameOrId(core.CollectionNameSuperusers)
			if err != nil {
				return err
			}
			record := core.NewRecord(admin)
			record.SetEmail("admin@example.com")
			record.SetPassword("0123456789")
			return s.App.Save(record)
		}},
		{"paths", func() error {
			hook = s.App.OnRecordCreate("likes").BindFunc(func(e *core.RecordEvent) error { return e.Next() })
			return nil
		}, func() error { s.App.OnRecordCreate().Unbind(hook); return nil }},
		{"encryption", func() error { return os.Unsetenv(key) }, func() error { return os.Setenv(key, strings.Repeat("k", 32)) }},
		{"folder", func() error { return os.Chmod(s.App.DataDir(), 0o755) }, func() error { return nil }}, // #nosec G302 -- that is what is looked for
		{"address", func() error { s.App.Settings().Meta.AppURL = "http://localhost:8090"; return nil }, func() error { s.App.Settings().Meta.AppURL = "https://photos.example.com"; return nil }},
	} {
		if test.check == "superusers" && len(admins) > 0 {
			for _, admin := range admins {
				if _, err := s.App.NonconcurrentDB().NewQuery("DELETE FROM _superusers WHERE id = '" + admin.Id + "'").Execute(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := test.damage(); err != nil {
			t.Fatal(err)
		}
		if got := state(test.check); got == cli.StateOK {
			t.Errorf("%s is %s", test.check, got)
		}
		if err := test.heal(); err != nil {
			t.Fatal(err)
		}
		if got := state(test.check); got != cli.StateOK && test.check != "folder" {
			t.Errorf("%s is still %s", test.check, got)
		}
	}
	t.Cleanup(func() { os.Unsetenv(key) })
}

// doctorTestNames returns the names of the tests in the packages that test doctor.
func doctorTestNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "../../hooks/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range regexp.MustCompile(`func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
				names[found[1]] = true
			}
		}
	}
	return names
}

func TestEveryInvariantIsTamperedWith(t *testing.T) {
	s := seededService(t)
	all, err := cli.Invariants(s.App)
	if err != nil {
		t.Fatal(err)
	}
	tampered, tests := map[string]bool{}, doctorTestNames(t)
	for _, tamper := range tamperings() {
		tampered[tamper.want] = true
	}
	for _, i := range all {
		label := i.Label()
		if slices.Contains([]string{"relation", "moment", "text"}, i.Name) { // all of them are made in one way
			label = strings.Join(slices.Sorted(maps.Keys(tampered)), "\n")
			if !strings.Contains(label, i.Name+" of ") {
				t.Errorf("nobody tampers with any %s", i.Name)
			}
			continue
		}
		if !tampered[label] && !tests[examinedElsewhere[i.Name]] {
			t.Errorf("nobody tampers with %q: %s", label, i.Holds)
		}
		if repaired := i.Mend != nil || i.MendAll != nil; repaired == (i.WhyNotRepaired != "") {
			t.Errorf("%s is either repaired or told for a reason", label)
		}
		if i.Holds == "" || i.Cost == "" || i.Check == "" {
			t.Errorf("%+v is not described", i)
		}
	}
}

func TestDoctorFindsTampering(t *testing.T) {
	testenv.SkipSequential(t)
	s := seededService(t)
	var names []string
	if err := s.App.DB().NewQuery(`SELECT handle FROM users WHERE NOT private ORDER BY handle LIMIT 3`).Column(&names); err != nil || len(names) < 3 {
		t.Fatal(names, err)
	}
	ada, bob, carol := s.As(names[0]), s.As(names[1]), s.As(names[2])
	bob.Follow(names[0])
	ada.Post("first")
	post := ada.Post("hello #sea with @" + names[2])
	comment := bob.Comment(post, "", "wow")
	ada.Comment(post, comment, "thanks")
	carol.Comment(post, comment, "what for?")
	carol.Comment(post, "", "hm")
	carol.Create("comment_likes", map[string]any{"comment": comment})
	bob.Create("story_views", map[string]any{"story": ada.Story()})
	s.RunJobs()
	expectHealthy(t, s.App)
	expectProved(t, s.App)
	all := tamperings()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			test := all[name]
			before := tableContents(t, s.App)
			execStatements(t, s.App, test.damage...)
			invariants, err := cli.Invariants(s.App)
			if err != nil {
				t.Fatal(err)
			}
			together := map[string]int{}
			for _, r := range reconcile.Examine(t.Context(), s.App, invariants, reconcile.ExamineOptions{}) {
				together[r.Label()] = r.Count
			}
			for _, i := range invariants {
				if !i.Proved {
					continue
				}
				if alone := reconcile.Examine(t.Context(), s.App, []*reconcile.Invariant{i}, reconcile.ExamineOptions{})[0]; alone.Count != together[i.Label()] || alone.Err != nil {
					t.Errorf("%s is broken by %d rows, and by %d of those that no proof says are sound: %v", i.Label(), alone.Count, together[i.Label()], alone.Err)
				}
			}
			named := []string{}
			left := reconcile.RepairAll(t.Context(), s.App, invariants, reconcile.ExamineOptions{}, func(r *reconcile.Result, _ int64, err error) {
				if named = append(named, r.Label()); err != nil {
					t.Errorf("repair %s: %v", r.Label(), err)
				}
			})
			still := []string{}
			for _, r := range left {
				if r.Err != nil {
					t.Errorf("look at %s: %v", r.Label(), r.Err)
				}
				if r.IsBroken() && (r.Inspect == nil || r.Name == "files" || r.Name == "jobs") { // the other ones are about the machine
					still = append(still, r.Label())
				}
			}
			if !slices.Contains(append(named, still...), test.want) {
				t.Errorf("doctor repairs %v and names %v, not %q", named, still, test.want)
			}
			if slices.Contains(still, test.want) != test.reported {
				t.Errorf("after the repair doctor names %v", still)
			}
			execStatements(t, s.App, test.heal...)
			if len(test.heal) > 0 {
				if err := search.Indexing.Finish(t.Context(), s.App, nil); err != nil { // the job that the next start would add
					t.Fatal(err)
				}
				expectHealthy(t, s.App)
			} else if len(still) > 0 {
				t.Errorf("after the repair doctor names %v", still)
			}
			if test.lost != "" {
				return
			}
			after := tableContents(t, s.App)
			for table, rows := range before {
				if after[table] != rows {
					t.Errorf("%s is not what it was:\n%s\n%s", table, linesOnlyIn(rows, after[table]), linesOnlyIn(after[table], rows))
				}
			}
		})
	}
}

// expectProved expects that no condition is asked about rows of a sound folder that a proof tells of: else it would cost
// more than without proofs, and nobody would notice.
func expectProved(t *testing.T, app core.App) {
	t.Helper()
	asked := map[string]bool{}
	db.CheckStatements(app, func(query string) error {
		for _, table := range []string{"likes", "follows", "posts", "notification_events", "notifications"} {
			if strings.Contains(query, "t.rowid IN (SELECT value FROM json_each") && strings.Contains(query, "FROM `"+table+"` t") {
				asked[table] = true
			}
		}
		return nil
	})
	defer db.CheckStatements(app, nil)
	examineFolder(app)
	t.Logf("asked about rows of %v", asked)
	for _, table := range []string{"likes", "follows", "posts", "notifications"} {
		if asked[table] {
			t.Errorf("of some rows of %s nothing is proved", table)
		}
	}
}

// notCompared are the columns and tables that may differ after a repair, such as ids of rows that nothing points at
// and the numbers of tray changes. nil stands for the whole table.
var notCompared = map[string][]string{
	"post_tags": {"id", "created"}, "notifications": {"seq"}, "settings": {"seq"}, "notification_events": {"id"},
	"retractions": nil, "jobs": nil, "audit": nil,
}

// tableContents returns the rows of each table, and of the search indexes.
func tableContents(t *testing.T, app core.App) map[string]string {
	t.Helper()
	all := map[string]string{}
	collections, err := app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth)
	if err != nil {
		t.Fatal(err)
	}
	read := func(name, statement string) {
		var rows []string
		if err := app.DB().NewQuery(statement).Column(&rows); err != nil {
			t.Fatalf("read %s: %v", name, err)
		}
		slices.Sort(rows)
		all[name] = strings.Join(rows, "\n")
	}
	for _, c := range collections {
		left, listed := notCompared[c.Name]
		if c.System || listed && left == nil {
			continue
		}
		columns := slices.DeleteFunc(c.Fields.FieldNames(), func(field string) bool {
			return field == "updated" || slices.Contains(left, field)
		})
		read(c.Name, "SELECT json_array([["+strings.Join(columns, "]], [[")+"]]) FROM {{"+c.Name+"}}")
	}
	for _, table := range []string{"posts", "users", "hashtags"} {
		read("search_"+table, "SELECT s.id || ' ' || coalesce(s.words, 'waits') || ' ' || coalesce(hex(d.sz), 'no words') FROM search_"+table+" s LEFT JOIN search_"+table+"_words_docsize d ON d.id = s.n")
	}
	return all
}

// linesOnlyIn returns the lines of a that b does not have.
func linesOnlyIn(a, b string) string {
	lines := strings.Split(b, "\n")
	return strings.Join(slices.DeleteFunc(strings.Split(a, "\n"), func(line string) bool { return slices.Contains(lines, line) }), "\n")
}
