package fastpath

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/listing"
	"github.com/doubletap/doubletap/internal/visibility"
)

// Request is a like or an unlike that the fast path can serve.
type Request struct {
	Likes      *core.Collection
	Rules      *LikeRules
	Post, User string // of a like that is to be stored; User is who likes as the request says, perhaps empty
	ID         string // of the like that is to be deleted; empty for one that is to be stored
}

// CutLikesPath reports whether a request stores or takes back a like, and what follows in its path.
func CutLikesPath(request *http.Request) (rest string, ok bool) {
	if request.Method != http.MethodPost && request.Method != http.MethodDelete {
		return "", false
	}
	return strings.CutPrefix(request.URL.Path, "/api/collections/likes/records")
}

// ParseRequest reads a request for which CutLikesPath is true, or returns the reason why the fast path cannot serve it.
func (c *LikeRuleCache) ParseRequest(e *core.RequestEvent) (r Request, reason visibility.Reason) {
	rest, _ := CutLikesPath(e.Request)
	switch {
	case !IsUser(e.Auth):
		return r, NoUser
	case e.Request.URL.RawQuery != "":
		return r, UnknownQuery
	}
	likes, err := e.App.FindCachedCollectionByNameOrId("likes")
	if err != nil {
		return r, ReadFailed
	}
	if !HasShippedFields(likes) {
		return r, listing.UnknownField
	}
	rules, err := c.Find(e.App, likes)
	if err != nil {
		return r, ReadFailed
	}
	r = Request{Likes: likes, Rules: rules}
	switch {
	case e.Request.Method == http.MethodPost && rest == "":
		if rules.CreateReason != "" {
			return r, rules.CreateReason
		}
		if IsRateLimited(e, "likes", "create") {
			return r, RateLimited
		}
		known := false
		if r.Post, r.User, known = readLikedPost(e); !known {
			return r, UnknownBody
		}
		return r, ""
	case e.Request.Method == http.MethodDelete && len(rest) == 16:
		switch {
		case rules.DeleteReason != "":
			return r, rules.DeleteReason
		case IsRateLimited(e, "likes", "delete"):
			return r, RateLimited
		case isReferenced(e.App, likes):
			return r, IsReferred
		}
		r.ID = rest[1:]
		return r, ""
	}
	return r, UnknownQuery
}

// IsUser reports whether a caller is one of those whom the fast path serves.
func IsUser(caller *core.Record) bool { return caller != nil && caller.Collection().Name == "users" }

// IsRateLimited reports whether one of the admin's rate limits applies to the request; PocketBase's path counts it.
func IsRateLimited(e *core.RequestEvent, collection, action string) bool {
	limits := e.App.Settings().RateLimits
	if !limits.Enabled {
		return false
	}
	path := e.Request.URL.Path
	_, found := limits.FindRateLimitRule([]string{collection + ":" + action, "*:" + action, e.Request.Method + " " + path, path},
		core.RateLimitRuleAudienceAll, core.RateLimitRuleAudienceAuth)
	return found
}

// isReferenced reports whether deleting a record of the collection may cascade. It is true if that cannot be read.
func isReferenced(app core.App, c *core.Collection) bool {
	references, err := app.FindCachedCollectionReferences(c)
	return err != nil || len(references) > 0
}

// readLikedPost reads {"post": id}, perhaps with the caller as the user. ok is false for any other body, which is not
// the plain case.
func readLikedPost(e *core.RequestEvent) (post, user string, ok bool) {
	if n := e.Request.ContentLength; n <= 0 || n > 200 || !strings.HasPrefix(e.Request.Header.Get("Content-Type"), "application/json") {
		return "", "", false
	}
	text, err := io.ReadAll(e.Request.Body)
	if again, ok := e.Request.Body.(router.Rereader); ok {
		again.Reread() // for the general path
	}
	var body map[string]any
	if err != nil || json.Unmarshal(text, &body) != nil {
		return "", "", false
	}
	post, ok = body["post"].(string)
	who, named := body["user"]
	switch {
	case !ok, named && who != e.Auth.Id, len(body) > 2, len(body) == 2 && !named:
		return "", "", false
	case named:
		user = e.Auth.Id
	}
	return post, user, true
}
