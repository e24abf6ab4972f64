package subject

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/doubletap/doubletap/internal/load"
)

// Plain describes the plain subject's clients: a feed page is two lists, the second of which asks which posts of the
// first the person likes; every list counts its total.
var Plain = load.API{
	Like: func(who load.Person, post string) load.Request {
		return load.CreateRequest(who, "likes", "post", post, "user", who.ID)
	},
	Comment: func(who load.Person, post, text string) load.Request {
		return load.CreateRequest(who, "comments", "post", post, "author", who.ID, "text", text)
	},
	Feed: func(do load.SendFunc, who load.Person) ([]byte, error) {
		page, err := do(load.ListRequest(who, "posts", 1, load.FeedPage, "filter", followedFilter(who), "sort", "-created", "expand", "author"))
		if err != nil {
			return nil, err
		}
		page = []byte(string(page)) // a copy, as the next answer overwrites the page
		var list postList
		if err := json.Unmarshal(page, &list); err != nil {
			return nil, err
		}
		liked := make([]string, len(list.Items))
		for i, post := range list.Items {
			liked[i] = fmt.Sprintf("post = %q", post.ID)
		}
		_, err = do(load.ListRequest(who, "likes", 1, load.FeedPage, "filter", fmt.Sprintf("user = %q && (%s)", who.ID, strings.Join(liked, " || "))))
		return page, err
	},
	Tray: func(do load.SendFunc, who load.Person) ([]byte, error) {
		return do(load.ListRequest(who, "notifications", 1, load.TrayPage, "sort", "-created", "expand", "actor,post"))
	},
	Grid: func(do load.SendFunc, who load.Person, author string) ([]byte, error) {
		return do(load.ListRequest(who, "posts", 1, load.GridPage, "sort", "-created", "filter", fmt.Sprintf("author = %q", author)))
	},
	PhotoField:        "photo",
	LikesCountField:   "likesCount",
	ParseNotification: parseNotification,
	CheckFeedPage:     func(page []byte, _ load.Person) error { return checkFeedPage(page, false) },
}

// Careful describes the careful subject's clients: lists have no totals, and posts say whether they are liked.
var Careful = load.API{
	Like:    Plain.Like,
	Comment: Plain.Comment,
	Feed: func(do load.SendFunc, who load.Person) ([]byte, error) {
		return do(load.ListRequest(who, "posts", 1, load.FeedPage, "filter", followedFilter(who), "sort", "-created", "expand", "author", "skipTotal", "true"))
	},
	Tray: func(do load.SendFunc, who load.Person) ([]byte, error) {
		return do(load.ListRequest(who, "notifications", 1, load.TrayPage, "sort", "-created", "expand", "actor,post", "skipTotal", "true"))
	},
	Grid: func(do load.SendFunc, who load.Person, author string) ([]byte, error) {
		return do(load.ListRequest(who, "posts", 1, load.GridPage, "sort", "-created", "filter", fmt.Sprintf("author = %q", author), "skipTotal", "true"))
	},
	PhotoField:        "photo",
	LikesCountField:   "likesCount",
	ParseNotification: parseNotification,
	CheckFeedPage:     func(page []byte, _ load.Person) error { return checkFeedPage(page, true) },
}

// Bare describes the bare server's clients, which only like.
var Bare = load.API{Like: Plain.Like}

func followedFilter(who load.Person) string {
	return fmt.Sprintf("author.follows_via_followee.follower ?= %q", who.ID)
}

func parseNotification(message []byte) (string, []string) {
	var m struct {
		Record struct{ Type, Post, Actor string }
	}
	if json.Unmarshal(message, &m) != nil || m.Record.Type != "like" {
		return "", nil
	}
	return m.Record.Post, []string{m.Record.Actor}
}

type postList struct {
	Items []struct {
		ID, Author, Created string
		Liked               *string
		Expand              struct{ Author struct{ ID, Name string } }
	}
}

func checkFeedPage(page []byte, liked bool) error {
	var list postList
	if err := json.Unmarshal(page, &list); err != nil {
		return err
	}
	if len(list.Items) != load.FeedPage {
		return fmt.Errorf("%d posts instead of %d", len(list.Items), load.FeedPage)
	}
	for i, post := range list.Items {
		switch {
		case post.Expand.Author.ID != post.Author || post.Expand.Author.Name == "":
			return fmt.Errorf("post %s came without its author", post.ID)
		case liked && post.Liked == nil:
			return errors.New("a post does not say whether it is liked")
		case i > 0 && post.Created > list.Items[i-1].Created:
			return fmt.Errorf("post %d is newer than the one before", i)
		}
	}
	return nil
}
