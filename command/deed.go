package command

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/types"

	"doubletap/internal/account"
)

// Password is that of everybody whom a command makes up.
const Password = "doubletap"

// castMember is somebody made up.
type castMember struct {
	id, handle, name, bio string
	private               bool
	avatarSeed            uint64 // the seed of the avatar
}

// postContent is a post made up.
type postContent struct {
	id, author, caption, visibility, place string
	lat, lon                               float64
	photos                                 []paintedPhoto
}

// addSignUp has p sign up, with hash as the password's: bcrypt is slow on purpose, and once is enough.
func (s *timeline) addSignUp(at float64, p castMember, hash string) {
	var face []byte
	s.actions = append(s.actions, timelineAction{at: at, prepare: func() { face = paintPortrait(p.avatarSeed) }, store: func(tx core.App, at types.DateTime) error {
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

// addPost has somebody post p.
func (s *timeline) addPost(at float64, p postContent) {
	photos := make([][]byte, len(p.photos))
	s.actions = append(s.actions, timelineAction{
		at: at,
		prepare: func() {
			for i, photo := range p.photos {
				photos[i] = photo.encodeJPEG()
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
			clear(photos) // what is stored need not be kept
			return saveRecord(tx, "posts", p.id, at, map[string]any{
				"author": p.author, "photos": files, "alts": alts, "caption": p.caption, "visibility": p.visibility,
				"place": p.place, "geo": types.GeoPoint{Lat: p.lat, Lon: p.lon},
			})
		},
	})
}

// addStory has author show a photo for a day.
func (s *timeline) addStory(at float64, id, author, visibility string, p paintedPhoto) {
	var content []byte
	s.actions = append(s.actions, timelineAction{at: at, prepare: func() { content = p.encodeJPEG() }, store: func(tx core.App, at types.DateTime) error {
		file, err := fileNamed(content, "story_"+id+".jpg")
		if err != nil {
			return err
		}
		return saveRecord(tx, "stories", id, at, map[string]any{"author": author, "photo": file, "visibility": visibility})
	}})
}

// addStoryView has viewer see what somebody shows for a day.
func (s *timeline) addStoryView(at float64, viewer, shown string) {
	s.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "story_views", "", at, map[string]any{"story": shown, "viewer": viewer})
	})
}

// addFollow has one person follow another, or ask to.
func (s *timeline) addFollow(at float64, follower, followee string) {
	s.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "follows", "", at, map[string]any{"follower": follower, "followee": followee})
	})
}

// addFollowAcceptance has followee accept what follower asked.
func (s *timeline) addFollowAcceptance(at float64, follower, followee string) {
	s.addAction(at, func(tx core.App, at types.DateTime) error {
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

// addLike has user like a post.
func (s *timeline) addLike(at float64, user, post string) {
	s.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "likes", "", at, map[string]any{"user": user, "post": post})
	})
}

// addCommentLike has user like a comment.
func (s *timeline) addCommentLike(at float64, user, comment string) {
	s.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "comment_likes", "", at, map[string]any{"user": user, "comment": comment})
	})
}

// addComment has author say something under a post, in answer to the comment parent unless that is empty.
func (s *timeline) addComment(at float64, id, author, post, parent, text string) {
	s.addAction(at, func(tx core.App, at types.DateTime) error {
		return saveRecord(tx, "comments", id, at, map[string]any{"author": author, "post": post, "parent": parent, "text": text})
	})
}

// saveRecord stores a new record through all hooks, as of the time at; an empty id leaves it to the product.
func saveRecord(tx core.App, collection, id string, at types.DateTime, fields map[string]any, more ...func(*core.Record)) error {
	c, err := tx.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return fmt.Errorf("find collection %s: %w", collection, err)
	}
	record := core.NewRecord(c)
	record.Load(fields)
	record.Id = id
	record.SetRaw("created", at) // Set leaves such a field alone
	record.SetRaw("updated", at)
	for _, change := range more {
		change(record)
	}
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("save %s %s: %w", collection, record.Id, err)
	}
	return nil
}

// fileNamed is a file that keeps its name: PocketBase would put chance into it.
func fileNamed(content []byte, name string) (*filesystem.File, error) {
	file, err := filesystem.NewFileFromBytes(content, name)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", name, err)
	}
	file.Name = name
	return file, nil
}

// passwordHash is Password as a users record keeps it.
func passwordHash(app core.App) (string, error) {
	users, err := app.FindCachedCollectionByNameOrId("users")
	if err != nil {
		return "", fmt.Errorf("find collection users: %w", err)
	}
	record := core.NewRecord(users)
	record.SetPassword(Password)
	return record.GetString(core.FieldNamePassword + ":hash"), nil
}
