package visibility

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// PostEdges are the ids of the viewer's own like and save of a post; empty where there is none.
type PostEdges struct {
	ID    string `db:"id"`
	Liked string `db:"liked"`
	Saved string `db:"saved"`
}

// Relationship is what is between the viewer and another user.
type Relationship struct {
	ID        string `db:"id" json:"-"`
	Following bool   `db:"following" json:"following"`
	Requested bool   `db:"requested" json:"requested"`
	FollowsMe bool   `db:"followsMe" json:"followsMe"`
	Blocking  bool   `db:"blocking" json:"blocking"`
	Muting    bool   `db:"muting" json:"muting"`
}

// ReadPostEdges returns, by post, the viewer's edges to each of the posts.
func ReadPostEdges(app core.App, me string, posts []string) (map[string]PostEdges, error) {
	var rows []PostEdges
	err := db.QueryAll(app, &rows, `SELECT value id,
			coalesce((SELECT l.id FROM likes l WHERE l.post = value AND l.user = {:me}), '') liked,
			coalesce((SELECT s.id FROM saves s WHERE s.user = {:me} AND s.post = value), '') saved
		FROM json_each({:ids})`, viewerParams(me, posts))
	if err != nil {
		return nil, fmt.Errorf("read the viewer's likes and saves: %w", err)
	}
	found := make(map[string]PostEdges, len(rows))
	for _, row := range rows {
		found[row.ID] = row
	}
	return found, nil
}

// ReadRelationships returns, by user, the viewer's relationship to each of the users.
func ReadRelationships(app core.App, me string, users []string, now string) (map[string]Relationship, error) {
	var rows []Relationship
	p := viewerParams(me, users)
	p["now"] = now
	err := db.QueryAll(app, &rows, `SELECT value id,
			EXISTS (SELECT 1 FROM follows WHERE follower = {:me} AND followee = value AND state = 'accepted') following,
			EXISTS (SELECT 1 FROM follows WHERE follower = {:me} AND followee = value AND state = 'pending') requested,
			EXISTS (SELECT 1 FROM follows WHERE follower = value AND followee = {:me} AND state = 'accepted') followsMe,
			EXISTS (SELECT 1 FROM blocks WHERE blocker = {:me} AND blocked = value) blocking,
			EXISTS (SELECT 1 FROM mutes WHERE muter = {:me} AND muted = value AND post = '' AND (until = '' OR until > {:now})) muting
		FROM json_each({:ids})`, p)
	if err != nil {
		return nil, fmt.Errorf("read the viewer's relationships: %w", err)
	}
	found := make(map[string]Relationship, len(rows))
	for _, row := range rows {
		found[row.ID] = row
	}
	return found, nil
}

// ReadPostEdgesByUser returns, by user, the edges of each of the users to one post.
func ReadPostEdgesByUser(app core.App, post string, users []string) (map[string]PostEdges, error) {
	var rows []PostEdges
	err := db.QueryAll(app, &rows, `SELECT value id,
			coalesce((SELECT l.id FROM likes l WHERE l.post = {:post} AND l.user = value), '') liked,
			coalesce((SELECT s.id FROM saves s WHERE s.user = value AND s.post = {:post}), '') saved
		FROM json_each({:users})`, db.Params{"post": post, "users": db.JSONList(users)})
	if err != nil {
		return nil, fmt.Errorf("read the likes and saves of post %s: %w", post, err)
	}
	found := make(map[string]PostEdges, len(rows))
	for _, row := range rows {
		found[row.ID] = row
	}
	return found, nil
}

// ReadRelationshipsByViewer returns, by viewer, the relationship of each of the viewers to one user.
func ReadRelationshipsByViewer(app core.App, user string, viewers []string, now string) (map[string]Relationship, error) {
	var rows []Relationship
	err := db.QueryAll(app, &rows, `SELECT value id,
			EXISTS (SELECT 1 FROM follows WHERE follower = value AND followee = {:user} AND state = 'accepted') following,
			EXISTS (SELECT 1 FROM follows WHERE follower = value AND followee = {:user} AND state = 'pending') requested,
			EXISTS (SELECT 1 FROM follows WHERE follower = {:user} AND followee = value AND state = 'accepted') followsMe,
			EXISTS (SELECT 1 FROM blocks WHERE blocker = value AND blocked = {:user}) blocking,
			EXISTS (SELECT 1 FROM mutes WHERE muter = value AND muted = {:user} AND post = '' AND (until = '' OR until > {:now})) muting
		FROM json_each({:viewers})`, db.Params{"user": user, "viewers": db.JSONList(viewers), "now": now})
	if err != nil {
		return nil, fmt.Errorf("read the relationships to user %s: %w", user, err)
	}
	found := make(map[string]Relationship, len(rows))
	for _, row := range rows {
		found[row.ID] = row
	}
	return found, nil
}

func viewerParams(me string, ids []string) db.Params {
	return db.Params{"me": me, "ids": db.JSONList(ids)}
}
