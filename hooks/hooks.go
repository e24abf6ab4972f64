// Package hooks is the public face of Doubletap. Bind adds the social product to a PocketBase app, and the methods of
// Social that begin with On are where the app's owner adds to it or refuses.
//
//	app := pocketbase.NewWithConfig(hooks.Config())
//	social := hooks.Bind(app)
//	social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
//		if e.Owner.GetBool("likesOff") {
//			return apis.NewForbiddenError("This user takes no likes.", nil)
//		}
//		return e.Next()
//	})
//	if err := app.Start(); err != nil {
//		log.Fatal(err)
//	}
//
// The hooks are of PocketBase's kind: handlers run in the order in which they were bound, unless they have a
// priority, and each runs the next one by e.Next(). Each hook below has an example.
//
// # Overview
//
// In the transaction of their cause, where they may refuse it or alter what is stored:
//
//   - OnSignup, OnErase: an account is created, or closed for good
//   - OnPost, OnComment, OnReport: one is created
//   - OnLike, OnUnlike: a post is liked, or a like is taken back
//   - OnFollow, OnUnfollow: a follow is asked for and accepted, or ends
//   - OnBlock: a person blocks another
//   - OnNotify: a person is about to be notified of something
//
// In a job after the commit, where they may be slow:
//
//   - OnNotified: a notification was added to a tray
//   - OnPush, OnMail, OnWebhook: something is about to be sent
//   - OnPurge: photos are no longer public
//
// In the request of a page for people without the app:
//
//   - OnRender: the page of a post, a user or a hashtag is about to be shown
//
// Record and model hooks of PocketBase work beside them, and see every change of every collection. RegisterRule adds a
// function to the rule language. Package hookstest is a service to test all of this with, over HTTP.
//
// # Hooks in the transaction
//
// OnSignup, OnErase, OnPost, OnLike, OnUnlike, OnComment, OnFollow, OnUnfollow, OnBlock, OnReport and OnNotify run in
// the transaction that stores their cause, whoever causes it: a client, a superuser or Go code. The event's App is
// that transaction. Read and write with it and with no other app: another app's write would wait for the transaction
// itself.
//
// Before e.Next() a handler may alter or refuse what is about to be stored. After e.Next() it finds the record stored
// together with what the product derives from it, and what it adds is committed or rolled back with them.
//
// An error rolls everything back and is the client's answer: a router.ApiError or validation.Errors as it is, a full
// disk or a lock as 503, anything else, and a panic, as 500 with its cause in the log alone. A handler that neither
// calls e.Next() nor returns an error is a mistake, answered 500, and nothing is stored; only in OnNotify it has a
// meaning, and drops the notification.
//
// A transaction may be rolled back and run again because of somebody else's error, and its handlers with it. So a
// handler leaves nothing behind outside of e.App.
//
// These handlers hold the one connection that writes: meanwhile everybody else's likes, comments and posts wait. So a
// handler reads and writes, and leaves what is slow, a call of another service above all, to OnNotified or a job. A
// transaction of more than 50 ms is logged, with its route. One that a user's or a guest's request began is ended
// after 500 ms: everything in it is rolled back, its statements fail from then on, the client is answered 503, and
// others go on, even if the handler never returns.
//
// # Hooks after the commit
//
// OnNotified, OnPush, OnMail, OnWebhook and OnPurge run in background jobs, after the commit and outside any
// transaction. They may be slow, and the event's App is the app. After an error or a panic the job runs again, after
// 1 s at first and up to 1 h later, until it has used up its attempts; after a crash an event may come twice. In
// OnPush, OnMail and OnWebhook a handler that does not call e.Next(), and returns no error, drops what was about to
// be sent.
//
// OnRender is the only hook that runs in a request without a transaction.
package hooks

import (
	"net/http"
	"runtime/pprof"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/batchwriter"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/fastpath"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/listing"
	"github.com/doubletap/doubletap/internal/rendition"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/visibility"
	"github.com/doubletap/doubletap/internal/web"
	_ "github.com/doubletap/doubletap/migrations" // the collections
)

// Social is the product bound to one app. Its On… methods are for the app's owner; the package comment says when their
// handlers run and what they may do.
type Social struct {
	app         core.App
	jobs        *job.Runner
	inbox       *inbox.Inbox
	studio      *rendition.Studio
	delivery    deliveryState
	writer      *batchwriter.BatchWriter
	listReader  *listing.Reader
	likeRules   fastpath.LikeRuleCache
	tokens      fastpath.TokenCache
	sessions    session.Register
	bodies      web.OpenBodies // of the requests under way
	server      *http.Server   // set when the app serves
	signupHints sync.Map       // what sign-ups say of their accounts, by the record being stored
	routes      []web.Route    // our own, for the router and for the description of the API
	events      eventHooks
	hooks       watchedHooks
}

// Bind adds likes, comments, follows, feed, notifications and all else of Doubletap to app. Call it once, before the
// app starts; the first start creates the collections. The result is where an owner adds hooks.
//
// Every hook of PocketBase keeps working beside them. While an owner has bound a record or model hook to likes, or to
// all collections, likes take PocketBase's general path, which gives the same answers but is slower. The same holds for
// OnRecordsListRequest and OnRecordViewRequest of the feed, notifications and posts, for OnRecordEnrich of these and of
// what they expand, and the commonest reads. Hooks of other collections cost nothing. The log says at the start which
// path requests take and which hook is why, and so does doctor.
func Bind(app core.App) *Social {
	s := &Social{app: app, hooks: watchHooks(app), jobs: job.NewRunner(app), inbox: inbox.ForApp(app), writer: batchwriter.New(app, pprof.Labels(web.RequestLabel, "likes and marks")), listReader: listing.NewReader(app)}
	s.studio = rendition.NewStudio(app)
	s.delivery.service = deliver.New(app)
	s.bindClock()
	s.bindFolder()
	s.bindAdoption()
	s.bindAppURL()
	s.bindLogs()
	s.bindGuard()
	s.bindBudget()
	s.bindStructure()
	s.bindSweeps()
	s.bindShapes()
	s.bindWriter()
	s.bindUploads()
	s.bindBatch() // before the bodies, so that no guest's is read
	s.bindBodies()
	s.bindLimits()
	s.bindIdempotency()
	s.bindEdges()
	s.bindEffects()
	s.bindCredentials()
	s.bindSignIns()
	s.bindSessions()
	s.bindAccounts()
	s.bindAddresses()
	s.bindPosts()
	s.bindPhotos()
	s.bindLikes()
	s.bindComments()
	s.bindFollows()
	s.bindBlocks()
	s.bindStories()
	s.bindFeed()
	s.bindHashtags()
	s.bindSearch()
	s.bindNotifications()
	s.bindDevices()
	s.bindReports()
	s.bindModeration()
	s.bindDelivery()
	s.bindMailBudgets()
	s.bindOneTimeCodes()
	s.bindAccountMails()
	s.bindWebhooks()
	s.bindViewer()
	s.bindInbox()
	s.bindJobs()
	s.bindReconcile()
	s.bindRetention()
	s.bindMetrics()
	s.bindHealth()
	s.bindConfig()
	s.bindWebApp()
	s.bindSharePages()
	s.bindDashboard()
	s.bindAPIDoc()
	s.bindRoutes()
	s.bindTimeouts()
	s.bindServer()
	s.bindCommands()
	s.bindPaths()
	s.bindFastPath()
	s.bindFastReads()
	s.hooks.knowOurs()
	return s
}

// RuleFunc writes the SQL of a rule function; see RegisterRule.
type RuleFunc = func(me string, args ...string) string

// RegisterRule adds name to PocketBase's rule language as a function of the literal @request.auth.id and n further
// arguments. sql gets all of them as SQL, with NULL for a guest's id, and returns one condition, which must give each
// table that it names an alias. Clients cannot call the function in their filters. Call RegisterRule before the first
// app starts, in main or an init; it panics if the name is taken.
//
//	hooks.RegisterRule("memberOf", 1, func(me string, a ...string) string {
//		return "EXISTS (SELECT 1 FROM members m_ WHERE m_.user = " + me + " AND m_.club = " + a[0] + ")"
//	})
func RegisterRule(name string, n int, sql RuleFunc) { visibility.RegisterFunction(name, n, sql) }
