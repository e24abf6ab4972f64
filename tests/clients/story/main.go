//go:build generated

// Command story lives a small story against a service, through the clients that two generators have made of its
// description: ada shares a photo by one of them, bob likes it and mutes her by the other.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"log"
	"net/http"
	"os"

	"github.com/oapi-codegen/runtime/types"
	ht "github.com/ogen-go/ogen/http"

	"clients/oapi"
	"clients/ogen"
)

const password = "correct-horse"

func main() {
	log.SetFlags(0)
	ctx, url := context.Background(), os.Args[1]
	post, ada, err := sharePhoto(ctx, url)
	if err != nil {
		log.Fatal("ogen: ", err)
	}
	if err := likeAndMute(ctx, url, post, ada); err != nil {
		log.Fatal("oapi-codegen: ", err)
	}
	fmt.Println("done")
}

// bearer is the token that ogen's client sends.
type bearer struct{ token string }

func (b *bearer) Token(context.Context, ogen.OperationName) (ogen.Token, error) {
	return ogen.Token{APIKey: b.token}, nil
}

// sharePhoto signs ada up and in, shares a photo of hers, and reads and changes it. It returns the ids of both.
func sharePhoto(ctx context.Context, url string) (post, user string, err error) {
	auth := &bearer{}
	c, err := ogen.NewClient(url, auth)
	if err != nil {
		return "", "", err
	}
	signedUp, err := c.CreateUsers(ctx, &ogen.UsersCreate{Email: "ada@example.com", Handle: ogen.NewOptString("ada"), Password: password, PasswordConfirm: password}, ogen.CreateUsersParams{})
	if err != nil {
		return "", "", err
	}
	if _, ok := signedUp.(*ogen.UsersRecord); !ok {
		return "", "", fmt.Errorf("sign-up: %+v", signedUp)
	}
	signedIn, err := c.SignInUsers(ctx, &ogen.SignInUsersReq{Identity: "ada@example.com", Password: password})
	if err != nil {
		return "", "", err
	}
	session, ok := signedIn.(*ogen.SignInUsersOK)
	if !ok {
		return "", "", fmt.Errorf("sign-in: %+v", signedIn)
	}
	auth.token = session.Token
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 64, 48)), nil); err != nil {
		return "", "", err
	}
	created, err := c.CreatePosts(ctx, &ogen.PostsCreateFormMultipart{
		Photos:  []ht.MultipartFile{{Name: "a.jpg", File: &photo, Size: int64(photo.Len())}},
		Caption: ogen.NewOptString("by ogen"), Alts: []string{"nothing but black"},
	}, ogen.CreatePostsParams{})
	if err != nil {
		return "", "", err
	}
	answer, ok := created.(*ogen.PostsRecordHeaders)
	if !ok || answer.IdempotentReplayed.Set {
		return "", "", fmt.Errorf("a photo: %+v", created)
	}
	record := answer.Response
	seen, err := c.ViewPosts(ctx, ogen.ViewPostsParams{ID: record.ID})
	if err != nil {
		return "", "", err
	}
	if view, ok := seen.(*ogen.PostsRecord); !ok || view.Caption != "by ogen" {
		return "", "", fmt.Errorf("the photo: %+v", seen)
	}
	refused, err := c.ViewPosts(ctx, ogen.ViewPostsParams{ID: "nothing"})
	if err != nil {
		return "", "", err
	}
	if _, ok := refused.(*ogen.Error); !ok {
		return "", "", fmt.Errorf("a missing photo: %+v", refused)
	}
	return record.ID, session.Record.ID, nil
}

// likeAndMute signs bob up and in, who likes the post and mutes its author.
func likeAndMute(ctx context.Context, url, post, user string) error {
	token := ""
	c, err := oapi.NewClient(url, oapi.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", token)
		return nil
	}))
	if err != nil {
		return err
	}
	signedUp, err := c.CreateUsers(ctx, nil, oapi.UsersCreate{Email: types.Email("bob@example.com"), Password: password, PasswordConfirm: password})
	if err := requireOK(signedUp, err, nil); err != nil {
		return fmt.Errorf("sign-up: %w", err)
	}
	var session struct{ Token string }
	signedIn, err := c.SignInUsers(ctx, oapi.SignInUsersJSONRequestBody{Identity: "bob@example.com", Password: password})
	if err := requireOK(signedIn, err, &session); err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	token = session.Token
	var like oapi.LikesRecord
	liked, err := c.CreateLikes(ctx, nil, oapi.LikesCreate{Post: post})
	if err := requireOK(liked, err, &like); err != nil || like.Post != post {
		return fmt.Errorf("a like: %w, %+v", err, like)
	}
	var mute oapi.MutesCreate
	if err := mute.FromMutesCreateMuted(oapi.MutesCreateMuted{Muted: user}); err != nil {
		return err
	}
	muted, err := c.CreateMutes(ctx, nil, mute)
	return requireOK(muted, err, nil)
}

// requireOK reads an answer, which must be a success.
func requireOK(a *http.Response, err error, into any) error {
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", a.StatusCode)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(a.Body).Decode(into)
}
