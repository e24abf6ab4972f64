package load

import (
	"encoding/json"
	"fmt"
)

// Doubletap describes Doubletap's clients; see section 4 of its contract.
var Doubletap = API{
	Like: func(who Person, post string) Request { return CreateRequest(who, "likes", "post", post) },
	Comment: func(who Person, post, text string) Request {
		return CreateRequest(who, "comments", "post", post, "text", text)
	},
	Feed: func(do SendFunc, who Person) ([]byte, error) {
		return do(ListRequest(who, "feed", 1, FeedPage, "sort", "-at,-post", "skipTotal", "true", "expand", "post.author"))
	},
	Tray: func(do SendFunc, who Person) ([]byte, error) {
		return do(ListRequest(who, "notifications", 1, TrayPage, "sort", "-latestAt,-id", "skipTotal", "true", "expand", "actors,post"))
	},
	Grid: func(do SendFunc, who Person, author string) ([]byte, error) {
		return do(ListRequest(who, "posts", 1, GridPage, "sort", "-created", "skipTotal", "true", "filter", `author = "`+author+`"`))
	},
	PhotoField:      "photos",
	LikesCountField: "likesCount",
	ParseNotification: func(message []byte) (string, []string) {
		var m struct {
			Record struct {
				Type, Post string
				Actors     []string
			}
		}
		if json.Unmarshal(message, &m) != nil || m.Record.Type != "like" {
			return "", nil
		}
		return m.Record.Post, m.Record.Actors
	},
	CheckFeedPage: func(page []byte, who Person) error {
		var list struct {
			Items []struct {
				Viewer, Post, At string
				Expand           struct {
					Post struct {
						ID, Author string
						Liked      *string
						Expand     struct{ Author struct{ ID, Name string } }
					}
				}
			}
		}
		if err := json.Unmarshal(page, &list); err != nil {
			return err
		}
		for i, row := range list.Items {
			post := row.Expand.Post
			switch {
			case row.Viewer != who.ID:
				return fmt.Errorf("a row of %s's", row.Viewer)
			case post.ID != row.Post || post.Author == "" || post.Expand.Author.ID != post.Author || post.Expand.Author.Name == "":
				return fmt.Errorf("post %s came without its author", row.Post)
			case post.Liked == nil:
				return fmt.Errorf("post %s does not say whether it is liked", row.Post)
			case i > 0 && row.At > list.Items[i-1].At:
				return fmt.Errorf("row %d is newer than the one before", i)
			}
		}
		return checkFullPage(len(list.Items))
	},
}

func checkFullPage(items int) error {
	if items != FeedPage {
		return fmt.Errorf("%d rows instead of %d", items, FeedPage)
	}
	return nil
}
