// Owner is an app built on Doubletap: it has clubs whose walls only members see, people who accept no likes, and
// notifications that respect users who want quiet.
package main

import (
	"log"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
)

func main() {
	app := pocketbase.NewWithConfig(hooks.Config())
	Extend(app, hooks.Bind(app))
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

func init() {
	// a rule function of our own, which the rules of the collection clubs use
	hooks.RegisterRule("memberOf", 1, func(me string, a ...string) string {
		return "EXISTS (SELECT 1 FROM members m_ WHERE m_.user = " + me + " AND m_.club = " + a[0] + ")"
	})
}

// Extend binds what this app adds.
func Extend(app core.App, social *hooks.Social) {
	social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
		if e.Owner.GetBool("likesOff") {
			return apis.NewForbiddenError("This user takes no likes.", nil) // a veto: rolls back and answers 403
		}
		return e.Next()
	})
	social.OnNotify("like", "comment").BindFunc(func(e *hooks.NotifyEvent) error {
		e.Push = e.Push && !e.Recipient.GetBool("quiet") // alters the notification
		if e.Recipient.GetBool("quiet") && e.Type == "like" {
			return nil // without a call of Next the notification is dropped
		}
		return e.Next()
	})
	social.OnSignup().BindFunc(func(e *hooks.AccountEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return joinClub(e.App, e.User.Id) // in the same transaction as the account
	})
}

// joinClub makes a user a member of the club that everybody is in.
func joinClub(app core.App, user string) error {
	club, err := app.FindFirstRecordByData("clubs", "name", "Everybody")
	if err != nil {
		return err
	}
	members, err := app.FindCachedCollectionByNameOrId("members")
	if err != nil {
		return err
	}
	member := core.NewRecord(members)
	member.Set("club", club.Id)
	member.Set("user", user)
	return app.Save(member)
}
