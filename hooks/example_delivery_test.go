package hooks_test

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/doubletap/doubletap/hooks"
)

// Without a call of Next the notification is dropped. The comment, its cause, is stored all the same.
func ExampleSocial_OnNotify() {
	s, end := startService(func(social *hooks.Social) {
		social.OnNotify("comment").BindFunc(func(e *hooks.NotifyEvent) error {
			if e.Comment.GetString("text") == "first!" {
				return nil
			}
			return e.Next()
		})
	})
	defer end()

	post := s.As("ada").Post("Dawn")
	s.As("bob").Comment(post, "", "first!")
	fmt.Println("comments:", s.Record("posts", post).GetInt("commentsCount"), "notifications:", len(s.As("ada").List("notifications", "")))
	s.As("carol").Comment(post, "", "What a sky")
	fmt.Println("comments:", s.Record("posts", post).GetInt("commentsCount"), "notifications:", len(s.As("ada").List("notifications", "")))
	// Output:
	// comments: 1 notifications: 0
	// comments: 2 notifications: 1
}

// A channel of one's own begins here, in a job after the commit. An error makes the job run again later.
func ExampleSocial_OnNotified() {
	s, end := startService(func(social *hooks.Social) {
		social.OnNotified("like").BindFunc(func(e *hooks.NotifiedEvent) error {
			fmt.Printf("to the chat of %s: %s liked your photo\n", e.Recipient.GetString("handle"), e.Actor.GetString("handle"))
			return e.Next()
		})
	})
	defer end()

	s.As("bob").Like(s.As("ada").Post("Dawn"))
	fmt.Println("bob has his answer")
	s.RunJobs() // a server runs them by itself
	// Output:
	// bob has his answer
	// to the chat of ada: bob liked your photo
}

// A push is altered on its way to one device, or dropped by not calling Next.
func ExampleSocial_OnPush() {
	s, end := startService(func(social *hooks.Social) {
		social.OnPush("like").BindFunc(func(e *hooks.PushEvent) error {
			fmt.Printf("%s: %s\n", e.Device.GetString("kind"), e.Body)
			return nil // an app that sends it calls e.Next()
		})
	})
	defer end()

	addBrowser(s.As("ada"))
	s.As("bob").Like(s.As("ada").Post("Dawn"))
	s.RunJobs()
	// Output: webpush: bob liked your photo
}

// A mail is altered before it is sent.
func ExampleSocial_OnMail() {
	s, end := startService(func(social *hooks.Social) {
		social.OnMail("comment").BindFunc(func(e *hooks.MailEvent) error {
			e.Message.Subject = "[Photo club] " + e.Message.Subject
			return e.Next()
		})
	})
	defer end()

	setPreferences(s.As("ada"), map[string]any{"comment": map[string]any{"mail": "now"}})
	s.As("bob").Comment(s.As("ada").Post("Dawn"), "", "What a sky")
	s.RunJobs()
	s.Advance(time.Hour) // a mail waits for a while, as ada may look by herself
	s.RunJobs()
	fmt.Println(s.Mails()[0].Subject)
	// Output: [Photo club] bob commented on your photo
}

// An event is altered on its way to a webhook, or dropped by not calling Next.
func ExampleSocial_OnWebhook() {
	s, end := startService(func(social *hooks.Social) {
		social.OnWebhook("like.created").BindFunc(func(e *hooks.WebhookEvent) error {
			fmt.Println(e.Type, "to", e.Webhook.GetString("url"))
			return nil // an app that sends it calls e.Next()
		})
	})
	defer end()

	s.Admin().Create("webhooks", map[string]any{"url": "https://shop.example.com/events", "events": []string{"like.created"}})
	s.As("bob").Like(s.As("ada").Post("Dawn"))
	s.RunJobs()
	// Output: like.created to https://shop.example.com/events
}

// A cache in front of the service forgets photos that are public no more.
func ExampleSocial_OnPurge() {
	s, end := startService(func(social *hooks.Social) {
		social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error {
			fmt.Println("a cache would forget paths such as /api/files/…:", strings.HasPrefix(e.URLs[0], "/api/files/"))
			return e.Next()
		})
	})
	defer end()

	post := s.As("ada").Post("Dawn")
	s.RunJobs()
	s.As("ada").Update("posts", post, map[string]any{"visibility": "private"})
	s.RunJobs()
	// Output: a cache would forget paths such as /api/files/…: true
}

// A page for people without the app gets another title and an element of one's own.
func ExampleSocial_OnRender() {
	s, end := startService(func(social *hooks.Social) {
		social.OnRender("post").BindFunc(func(e *hooks.RenderEvent) error {
			e.Title = "Photo of the day"
			e.Head = template.HTML(`<meta name="club" content="photo">`)
			return e.Next()
		})
	})
	defer end()

	page := s.Guest().Must(200, "GET", "/p/"+s.As("ada").Post("Dawn"), nil).Raw
	fmt.Println(strings.Contains(page, "<title>Photo of the day"), strings.Contains(page, `<meta name="club"`))
	// Output: true true
}
