package demo

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/account"
)

// Password is the password of all made-up people.
const Password = "doubletap"

// castMember is a made-up person.
type castMember struct {
	id, handle, name, bio string
	private               bool
	avatarSeed            uint64
}

// postContent is a made-up post.
type postContent struct {
	id, author, caption, visibility, place string
	lat, lon                               float64
	photos                                 []paintedPhoto
}

// addSignUp adds the sign-up of p. hash is that of the password, computed once for all, as bcrypt is slow on purpose.
func (t *timeline) addSignUp(at float64, p castMember, hash string) {
	var face []byte
	t.actions = append(t.actions, timelineAction{at: at, prepare: func() { face = t.gallery.findPortrait(lookOf(p.avatarSeed)) }, store: func(tx core.App, at types.DateTime) error {
		handle, err := account.FindFreeHandle(tx, p.handle)
		if err != nil {
			return err
		}
		file, err := fileNamed(face, "avatar_"+p.id+".jpg")
		if err != nil {
			return err
		}
		return saveRecord(tx, "users", p.id, at, map[string]any{
			"email": handle + "@example.com", "verified": true, "handle": handle, "name": p.name, "bio": p.bio, "private": p.private, "avatar": file,
		}, func(record *core.Record) {
			record.SetRaw(core.FieldNamePassword, &core.PasswordFieldValue{Hash: hash})
		})
	}})
}

// addPost adds the post p.
func (t *timeline) addPost(at float64, p postContent) {
	photos := make([][]byte, len(p.photos))
	t.actions = append(t.actions, timelineAction{
		at: at,
		prepare: func() {
			for i, photo := range p.photos {
				photos[i] = t.gallery.findPhoto(photo)
			}
		},
		store: func(tx core.App, at types.DateTime) error {
			files, alts := make([]*filesystem.File, len(photos)), make([]string, len(photos))
			for i, content := range photos {
				file, err := fileNamed(content, fmt.Sprintf("photo_%s_%d.jpg", p.id, i+1))
				if err != nil {
					return err
				}
				files[i], alts[i] = file, p.photos[i].scene.alt
			}
			return saveRecord(tx, "posts", p.id, at, map[string]any{
				"author": p.author, "photos": files, "alts": alts, "caption": p.caption, "visibility": p.visibility,
				"place": p.place, "geo": types.GeoPoint{Lat: p.lat, Lon: p.lon},
			})
		},
	})
}

// addStory adds a story of author with the photo p.
func (t *timeline) addStory(at float64, id, author, visibility string, p paintedPhoto) {
	var content []byte
	t.actions = append(t.actions, timelineAction{at: at, prepare: func() { content = t.gallery.findPhoto(p) }, store: func(tx core.App, at types.DateTime) error {
		file, err := fileNamed(content, "story_"+id+".jpg")
		if err != nil {
			return err
		}
		return saveRecord(tx, "stories", id, at, map[string]any{"author": author, "photo": file, "visibility": visibility})
	}})
}

// addStoryView adds that viewer sees a story.
func (t *timeline) addStoryView(at float64, viewer, story string) {
	t.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "story_views", "", at, map[string]any{"story": story, "viewer": viewer})
	})
}

// addFollow adds that follower follows followee, or asks to if followee is private.
func (t *timeline) addFollow(at float64, follower, followee string) {
	t.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "follows", "", at, map[string]any{"follower": follower, "followee": followee})
	})
}

// addFollowAcceptance adds that followee accepts the request of follower.
func (t *timeline) addFollowAcceptance(at float64, follower, followee string) {
	t.addAction(at, func(tx core.App, at types.DateTime) error {
		follow, err := tx.FindFirstRecordByFilter("follows", "follower = {:a} && followee = {:b}", map[string]any{"a": follower, "b": followee})
		if err != nil {
			return fmt.Errorf("accept follow of %s by %s: %w", followee, follower, err)
		}
		follow.Set("state", "accepted")
		follow.SetRaw("updated", at)
		if err := tx.Save(follow); err != nil {
			return fmt.Errorf("accept follow %s: %w", follow.Id, err)
		}
		return nil
	})
}

// addLike adds a like of a post.
func (t *timeline) addLike(at float64, user, post string) {
	t.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "likes", "", at, map[string]any{"user": user, "post": post})
	})
}

// addCommentLike adds a like of a comment.
func (t *timeline) addCommentLike(at float64, user, comment string) {
	t.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "comment_likes", "", at, map[string]any{"user": user, "comment": comment})
	})
}

// addComment adds a comment of author under a post; it answers the comment parent unless that is empty.
func (t *timeline) addComment(at float64, id, author, post, parent, text string) {
	t.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "comments", id, at, map[string]any{"author": author, "post": post, "parent": parent, "text": text})
	})
}

// saveRecord stores a new record through all hooks, created at the time at. If id is empty, the product makes one.
func saveRecord(tx core.App, collection, id string, at types.DateTime, fields map[string]any, more ...func(*core.Record)) error {
	c, err := tx.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return fmt.Errorf("find collection %s: %w", collection, err)
	}
	record := core.NewRecord(c)
	record.Load(fields)
	record.Id = id
	record.SetRaw("created", at) // Set ignores autodate fields
	record.SetRaw("updated", at)
	for _, change := range more {
		change(record)
	}
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("save %s %s: %w", collection, record.Id, err)
	}
	return nil
}

// fileNamed returns a file that keeps its name; PocketBase would add a random part to it.
func fileNamed(content []byte, name string) (*filesystem.File, error) {
	file, err := filesystem.NewFileFromBytes(content, name)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", name, err)
	}
	file.Name = name
	return file, nil
}

// passwordHash returns the hash of Password as a users record stores it.
func passwordHash(app core.App) (string, error) {
	users, err := app.FindCachedCollectionByNameOrId("users")
	if err != nil {
		return "", fmt.Errorf("find collection users: %w", err)
	}
	record := core.NewRecord(users)
	record.SetPassword(Password)
	return record.GetString(core.FieldNamePassword + ":hash"), nil
}
