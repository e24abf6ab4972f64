// Package hooks is Doubletap: it says when things happen. Bind adds the social product to a PocketBase app, and
// Social is where an app's owner adds to it.
package hooks

import (
	"runtime/pprof"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/feed"
	"doubletap/internal/inbox"
	"doubletap/internal/job"
	"doubletap/internal/listing"
	"doubletap/internal/rendition"
	"doubletap/internal/rule"
	"doubletap/internal/writer"
	_ "doubletap/migrations" // the collections
)

// Social is the product bound to one app. Its On… methods are for the app's owner.
//
// Handlers that run in the transaction may veto and alter what is stored, and what they store is stored with it. But they
// hold the one connection that writes: meanwhile everybody else's likes, comments and posts wait. So a handler looks
// and writes, and leaves what is slow, a call of another service above all, to OnNotified or a job. A transaction
// of more than 50 ms is logged, with its route. After 500 ms one that a user's or a guest's
// request began is ended: everything in it is rolled back, its statements fail from then on, the client is answered
// 503, and others go on, even if the handler never returns. A handler that returns nil and does not call Next is an error
// of its own, answered 500: nothing is stored. To drop something it returns an error, as apis.NewForbiddenError.
type Social struct {
	app         core.App
	jobs        *job.Runner
	inbox       *inbox.Inbox
	topUps      *feed.TopUps
	studio      *rendition.Studio
	writer      *writer.BatchWriter
	listReader  *listing.Reader
	tokens      tokenCache
	codes       *oneTimeCodes
	bodies      openBodies // of the requests under way
	signupHints sync.Map   // handles that people would like, by the record being stored
	routes      []route    // our own, for the router and for the description of the API
	events      eventHooks

	knownEnrichers int // handlers of OnRecordEnrich while alike knows what each does, set when the app serves
}

// Bind adds likes, comments, follows, feed, notifications and all else of Doubletap to app. Call it once,
// before the app starts; the first start creates the collections. What it returns is
// where an owner adds hooks; every hook of PocketBase keeps working beside them.
func Bind(app core.App) *Social {
	before, beforeReads := handlerCounts(app, recordHooks), handlerCounts(app, readHooks)
	s := &Social{app: app, jobs: job.NewRunner(app), inbox: inbox.ForApp(app), topUps: feed.NewTopUps(app), writer: writer.New(app, pprof.Labels(requestLabel, "likes and marks")), listReader: listing.NewReader(app)}
	s.studio = rendition.NewStudio(app)
	s.bindClock()
	s.bindFolder()
	s.bindAppURL()
	s.bindLogs()
	s.bindGuard()
	s.bindBudget()
	s.bindStatementTimeout()
	s.bindAnswerSize()
	s.bindStructure()
	s.bindSweeps()
	s.bindShapes()
	s.bindWriter()
	s.bindUploads()
	s.bindBatch() // before the bodies, so that no guest's is read
	s.bindBodies()
	s.bindEdges()
	s.bindCredentials()
	s.bindSignIns()
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
	s.bindFastPath(before)
	s.bindFastReads(beforeReads)
	return s
}

// RuleFunc writes the SQL of a rule function; see RegisterRule.
type RuleFunc = func(me string, args ...string) string

// RegisterRule adds name to PocketBase's rule language as a function of the literal
// @request.auth.id and n further arguments. sql gets all of them as SQL, with NULL for a guest's id, and returns
// one condition, which must give each table it names an alias. Clients cannot call the function in
// their filters. Call it before the first app starts, in main or an init; it panics on a name that is taken.
//
//	hooks.RegisterRule("memberOf", 1, func(me string, a ...string) string {
//		return "EXISTS (SELECT 1 FROM members m_ WHERE m_.user = " + me + " AND m_.club = " + a[0] + ")"
//	})
func RegisterRule(name string, n int, sql RuleFunc) { rule.RegisterFunction(name, n, sql) }
