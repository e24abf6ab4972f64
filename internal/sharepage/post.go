package sharepage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/visibility"
	"github.com/doubletap/doubletap/internal/words"
)

// Photo is one photo of a post. Width and Height are those of its largest rendition, and 0 until it is made.
type Photo struct {
	Source        string
	Set           string
	Alt           string
	Width, Height int
}

// Tile is a post among others.
type Tile struct {
	Path  string
	Label string
	Many  bool // the post has more photos than the one shown

	Caption   string
	Published time.Time
	Large     string // the photo's larger rendition
	Photo
}

// PostPage returns the page of a post, or nil if a guest may not see it.
func PostPage(app core.App, id string) (*Page, error) {
	post, err := findVisible(app, "posts", "posts.id = {:id}", dbx.Params{"id": id})
	if post == nil || err != nil {
		return nil, err
	}
	author, err := findVisible(app, "users", "users.id = {:id}", dbx.Params{"id": post.GetString("author")})
	if author == nil || err != nil {
		return nil, err
	}
	p := newPage(app, KindPost, post, "/p/"+id, "/p/"+id)
	p.Author = newPerson(author)
	p.Photos = photosOf(post)
	p.Words = words.Segments(strings.TrimSpace(post.GetString("caption")))
	p.Place = post.GetString("place")
	created := post.GetDateTime("created").Time()
	p.Time, p.Date = created.Format(time.RFC3339), created.Format("2 January 2006")
	p.Likes, p.Comments = countWithWord(post.GetInt("likesCount"), "like"), countWithWord(post.GetInt("commentsCount"), "comment")
	p.Title = "A photo by " + p.Author.Name + " on " + p.Site
	p.Description = cmp.Or(words.ShortLine(post.GetString("caption"), 200), p.Title+".")
	if caption := words.ShortLine(post.GetString("caption"), 60); caption != "" {
		p.Title = p.Author.Name + " on " + p.Site + ": “" + caption + "”"
	}
	if len(p.Photos) > 0 {
		p.Image = BaseURL(app) + photoSource(post, post.GetStringSlice("photos")[0], photo.Large)
	}
	return p, nil
}

func photosOf(post *core.Record) []Photo {
	var sizes []*struct{ W, H int }
	var alts []string
	_ = json.Unmarshal([]byte(post.GetString("media")), &sizes) // empty until the renditions are made
	_ = json.Unmarshal([]byte(post.GetString("alts")), &alts)   // may be empty
	all := make([]Photo, 0, len(post.GetStringSlice("photos")))
	for i, file := range post.GetStringSlice("photos") {
		shown := Photo{Source: photoSource(post, file, photo.Large), Alt: fmt.Sprintf("Photo %d", i+1)}
		if i < len(alts) && strings.TrimSpace(alts[i]) != "" {
			shown.Alt = alts[i]
		}
		if i < len(sizes) && sizes[i] != nil && sizes[i].W > 0 && sizes[i].H > 0 {
			w, h := sizes[i].W, sizes[i].H
			shown.Width, shown.Height = fitWithin(w, h, photo.Full.Side)
			var set []string
			for _, size := range slices.Backward(photo.Sizes) {
				if size.Crop {
					continue
				}
				width, _ := fitWithin(w, h, size.Side)
				set = append(set, fmt.Sprintf("%s %dw", photoSource(post, file, size), width))
				if max(w, h) <= size.Side {
					break
				}
			}
			shown.Set = strings.Join(set, ", ")
		}
		all = append(all, shown)
	}
	return all
}

// fitWithin returns the size of a picture that is made smaller to fit into a square box; it is never made larger.
func fitWithin(w, h, box int) (int, int) {
	long := max(w, h)
	if long <= box {
		return w, h
	}
	return max(1, w*box/long), max(1, h*box/long)
}

func photoSource(post *core.Record, file string, size photo.Size) string {
	return "/api/files/posts/" + post.Id + "/" + file + "?thumb=" + size.ThumbName()
}

// maxTiles is how many posts the page of a user or hashtag shows.
const maxTiles = 24

// newestTiles returns the newest posts that a guest may see, of those that narrow leaves in the query.
func newestTiles(app core.App, narrow func(q *dbx.SelectQuery)) ([]Tile, error) {
	collection, err := app.FindCachedCollectionByNameOrId("posts")
	if err != nil {
		return nil, fmt.Errorf("find collection posts: %w", err)
	}
	q := app.RecordQuery(collection).Limit(maxTiles)
	narrow(q)
	if err := visibility.Restrict(app, q, collection, collection.ListRule, guestInfo); err != nil {
		return nil, err
	}
	var posts []*core.Record
	if err := q.All(&posts); err != nil {
		return nil, fmt.Errorf("find posts of a page: %w", err)
	}
	all := make([]Tile, 0, len(posts))
	for _, post := range posts {
		files := post.GetStringSlice("photos")
		if len(files) == 0 {
			continue
		}
		cover := photosOf(post)[0]
		cover.Source = photoSource(post, files[0], photo.Tile)
		label := cmp.Or(words.ShortLine(post.GetString("caption"), 100), cover.Alt)
		all = append(all, Tile{Path: "/p/" + post.Id, Label: label, Many: len(files) > 1, Photo: cover,
			Caption: post.GetString("caption"), Published: post.GetDateTime("created").Time(), Large: photoSource(post, files[0], photo.Large)})
	}
	return all, nil
}

// Cover returns the photo that a link to the page shows, in the size of that rendition, or nil if the page has no
// photos.
func (p *Page) Cover() *Photo {
	if len(p.Photos) == 0 {
		return nil
	}
	cover := p.Photos[0]
	cover.Width, cover.Height = fitWithin(cover.Width, cover.Height, photo.Large.Side)
	return &cover
}
