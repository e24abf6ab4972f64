package sharepage

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/words"
)

// bioPart is a part of what somebody tells of themselves: an address, or words.
type bioPart struct {
	Link  string
	Words []words.Segment
}

// bioLink matches addresses in a bio, as the web app does.
var bioLink = regexp.MustCompile(`https?://[^\s\p{C}<>"']*[^\s\p{C}<>"'.,;:!?)\]]`)

func splitBio(text string) []bioPart {
	var parts []bioPart
	at := 0
	for _, link := range bioLink.FindAllStringIndex(text, -1) {
		if at < link[0] {
			parts = append(parts, bioPart{Words: words.Segments(text[at:link[0]])})
		}
		parts, at = append(parts, bioPart{Link: text[link[0]:link[1]]}), link[1]
	}
	if at < len(text) {
		parts = append(parts, bioPart{Words: words.Segments(text[at:])})
	}
	return parts
}

// UserPage returns the page of a user with their newest posts, or nil if a guest may not see the user. The page of a
// private account shows no posts, and asks search engines not to list it.
func UserPage(app core.App, handle string) (*Page, error) {
	if handle == "" {
		return nil, nil
	}
	user, err := findVisible(app, "users", "users.handle = {:handle} COLLATE NOCASE AND users.handle != ''", dbx.Params{"handle": handle})
	if user == nil || err != nil {
		return nil, err
	}
	p := newPage(app, KindUser, user, "/@"+user.GetString("handle"), "/@"+user.GetString("handle"))
	p.Author = newPerson(user)
	p.Bio = splitBio(strings.TrimSpace(user.GetString("bio")))
	p.Private = user.GetBool("private")
	p.Listed, p.Feed = !p.Private, !p.Private
	p.Counts = []string{countWithWord(user.GetInt("postsCount"), "post"), countWithWord(user.GetInt("followersCount"), "follower"), user.GetString("followingCount") + " following"}
	p.Title = "@" + p.Author.Handle + " on " + p.Site
	if p.Author.Name != p.Author.Handle {
		p.Title = p.Author.Name + " (" + p.Title[:len(p.Title)-len(" on "+p.Site)] + ") on " + p.Site
	}
	p.Description = cmp.Or(words.ShortLine(user.GetString("bio"), 200), "Photos by "+p.Author.Name+".")
	p.Posts, err = newestTiles(app, func(q *dbx.SelectQuery) {
		q.AndWhere(dbx.HashExp{"posts.author": user.Id}).OrderBy("posts.created DESC", "posts.id DESC")
	})
	if err != nil {
		return nil, err
	}
	if p.Author.Avatar != "" {
		p.Image = BaseURL(app) + strings.Replace(p.Author.Avatar, photo.Avatar.ThumbName(), photo.Tile.ThumbName(), 1)
	}
	return p, nil
}

// TagPage returns the page of a hashtag with its newest posts, or nil if a guest may see none of them.
func TagPage(app core.App, name string) (*Page, error) {
	name = words.Fold(name)
	tag, err := findVisible(app, "hashtags", "hashtags.name = {:name}", dbx.Params{"name": name})
	if tag == nil || err != nil {
		return nil, err
	}
	p := newPage(app, KindTag, tag, "/tags/"+url.PathEscape(name), "/tags/"+url.PathEscape(name))
	p.Feed = true
	shown := cmp.Or(tag.GetString("displayName"), name)
	p.Title = "#" + shown + " on " + p.Site
	p.Description = "The newest photos with #" + shown + "."
	p.Posts, err = newestTiles(app, func(q *dbx.SelectQuery) {
		q.InnerJoin("post_tags", dbx.NewExp("post_tags.post = posts.id")).
			AndWhere(dbx.HashExp{"post_tags.tag": tag.Id}).OrderBy("post_tags.created DESC", "posts.id DESC")
	})
	if err != nil || len(p.Posts) == 0 {
		return nil, err
	}
	p.Image = BaseURL(app) + strings.Replace(p.Posts[0].Source, photo.Tile.ThumbName(), photo.Large.ThumbName(), 1)
	return p, nil
}
