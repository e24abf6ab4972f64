package hooks_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"

	"github.com/doubletap/doubletap/hooks"
)

// A whole program: PocketBase with likes, comments, follows, a feed and notifications, and one rule of its owner.
func Example() {
	app := pocketbase.NewWithConfig(hooks.Config())
	social := hooks.Bind(app)
	social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
		if e.Owner.GetBool("likesOff") { // a field that the owner added to users
			return apis.NewForbiddenError("This user takes no likes.", nil)
		}
		return e.Next()
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// The rules of an owner's collections can ask what only SQL can answer fast: memberOf(@request.auth.id, club) = true.
func ExampleRegisterRule() {
	hooks.RegisterRule("memberOf", 1, func(me string, args ...string) string {
		return "EXISTS (SELECT 1 FROM members m_ WHERE m_.user = " + me + " AND m_.club = " + args[0] + ")"
	})
}

// A handle that looks official is refused, whatever the way to sign up.
func ExampleSocial_OnSignup() {
	s, end := startService(func(social *hooks.Social) {
		social.OnSignup().BindFunc(func(e *hooks.AccountEvent) error {
			if strings.HasPrefix(e.User.GetString("handle"), "official_") {
				return apis.NewBadRequestError("Only we are official.", nil)
			}
			return e.Next()
		})
	})
	defer end()

	answer := s.Guest().Do("POST", "/api/collections/users/records", map[string]any{
		"handle": "official_zoe", "email": "zoe@example.com", "password": "correct horse", "passwordConfirm": "correct horse",
	})
	fmt.Println(answer.Status, answer.Body["message"])
	// Output: 400 Only we are official.
}

// Who owes something cannot close the account.
func ExampleSocial_OnErase() {
	s, end := startService(func(social *hooks.Social) {
		social.OnErase().BindFunc(func(e *hooks.AccountEvent) error {
			if e.User.GetString("name") == "bob" { // where a real app looks for open orders, with e.App
				return apis.NewBadRequestError("You have an open order.", nil)
			}
			return e.Next()
		})
	})
	defer end()

	for _, name := range []string{"ada", "bob"} {
		user := s.As(name)
		fmt.Println(name, user.Do("DELETE", "/api/collections/users/records/"+user.ID, nil).Status)
	}
	// Output:
	// ada 204
	// bob 400
}

// What is changed before Next is stored.
func ExampleSocial_OnPost() {
	s, end := startService(func(social *hooks.Social) {
		social.OnPost().BindFunc(func(e *hooks.PostEvent) error {
			e.Post.Set("caption", e.Post.GetString("caption")+" #photoclub")
			return e.Next()
		})
	})
	defer end()

	post := s.As("ada").Post("Dawn")
	fmt.Println(s.Record("posts", post).GetString("caption"))
	fmt.Println(s.Record("hashtags", s.As("ada").List("hashtags", "")[0]["id"].(string)).GetString("name"))
	// Output:
	// Dawn #photoclub
	// photoclub
}

// A veto: neither the like nor its notification is stored.
func ExampleSocial_OnLike() {
	s, end := startService(func(social *hooks.Social) {
		social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
			if e.Post.GetString("caption") == "no likes please" {
				return apis.NewForbiddenError("This photo takes no likes.", nil)
			}
			return e.Next()
		})
	})
	defer end()

	post := s.As("ada").Post("no likes please")
	answer := s.As("bob").Do("POST", "/api/collections/likes/records", map[string]any{"post": post})
	fmt.Println(answer.Status, answer.Body["message"])
	fmt.Println("likes:", s.Record("posts", post).GetInt("likesCount"), "notifications:", len(s.As("ada").List("notifications", "")))
	// Output:
	// 403 This photo takes no likes.
	// likes: 0 notifications: 0
}

// After Next the count is that without the like.
func ExampleSocial_OnUnlike() {
	s, end := startService(func(social *hooks.Social) {
		social.OnUnlike().BindFunc(func(e *hooks.LikeEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			post, err := e.App.FindRecordById("posts", e.Post.Id)
			if err != nil {
				return err
			}
			fmt.Println(e.User.GetString("handle"), "took a like back,", post.GetInt("likesCount"), "is left")
			return nil
		})
	})
	defer end()

	post := s.As("ada").Post("Dawn")
	s.As("carol").Like(post)
	s.As("bob").Delete("likes", s.As("bob").Like(post))
	// Output: bob took a like back, 1 is left
}

// Strangers post no links.
func ExampleSocial_OnComment() {
	s, end := startService(func(social *hooks.Social) {
		social.OnComment().BindFunc(func(e *hooks.CommentEvent) error {
			if e.Author.Id != e.Post.GetString("author") && strings.Contains(e.Comment.GetString("text"), "https://") {
				return apis.NewBadRequestError("No links, please.", nil)
			}
			return e.Next()
		})
	})
	defer end()

	post := s.As("ada").Post("Dawn")
	for _, name := range []string{"ada", "bob"} {
		comment := map[string]any{"post": post, "text": "see https://example.com"}
		fmt.Println(name, s.As(name).Do("POST", "/api/collections/comments/records", comment).Status)
	}
	// Output:
	// ada 200
	// bob 400
}

// A follow of a private account is heard of twice: when it is asked for, and when it is accepted.
func ExampleSocial_OnFollow() {
	s, end := startService(func(social *hooks.Social) {
		social.OnFollow().BindFunc(func(e *hooks.FollowEvent) error {
			fmt.Println(e.Follower.GetString("handle"), "follows", e.Followee.GetString("handle")+":", e.Follow.GetString("state"))
			return e.Next()
		})
	})
	defer end()

	ada := s.As("ada")
	ada.Update("users", ada.ID, map[string]any{"private": true})
	follow := s.As("bob").Follow("ada")
	ada.Update("follows", follow, map[string]any{"state": "accepted"})
	// Output:
	// bob follows ada: pending
	// bob follows ada: accepted
}

// A follow ends by an unfollow, and also by a block.
func ExampleSocial_OnUnfollow() {
	s, end := startService(func(social *hooks.Social) {
		social.OnUnfollow().BindFunc(func(e *hooks.FollowEvent) error {
			fmt.Println(e.Follower.GetString("handle"), "no longer follows", e.Followee.GetString("handle"))
			return e.Next()
		})
	})
	defer end()

	bob := s.As("bob")
	bob.Delete("follows", bob.Follow("ada"))
	bob.Follow("carol")
	s.As("carol").Block("bob")
	// Output:
	// bob no longer follows ada
	// bob no longer follows carol
}

// After Next the follows between the two people are gone.
func ExampleSocial_OnBlock() {
	s, end := startService(func(social *hooks.Social) {
		social.OnBlock().BindFunc(func(e *hooks.BlockEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			follows, err := e.App.CountRecords("follows")
			fmt.Println(e.Blocker.GetString("handle"), "blocks", e.Blocked.GetString("handle")+", follows:", follows)
			return err
		})
	})
	defer end()

	s.As("bob").Follow("ada")
	s.As("ada").Block("bob")
	// Output: ada blocks bob, follows: 0
}

// A report has its own state and reason; a repeated one is not heard of.
func ExampleSocial_OnReport() {
	s, end := startService(func(social *hooks.Social) {
		social.OnReport().BindFunc(func(e *hooks.ReportEvent) error {
			fmt.Println("reported for", e.Report.GetString("reason"))
			return e.Next()
		})
	})
	defer end()

	report := map[string]any{"post": s.As("ada").Post("Buy now"), "reason": "spam"}
	s.As("bob").Create("reports", report)
	s.As("bob").Create("reports", report)
	// Output: reported for spam
}
