// Package graph is who follows whom, who blocks whom, and what follows from it.
package graph

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/sweep"
)

// The states of a follow.
const (
	Pending  = "pending"
	Accepted = "accepted"
)

// InitialState returns the state of a new follow: pending if the followee is private, who is asked first, otherwise
// accepted.
func InitialState(followee *core.Record) string {
	if followee.GetBool("private") {
		return Pending
	}
	return Accepted
}

// DeleteFollowsBetween deletes the follows between two people in both directions, as if each had unfollowed the other.
func DeleteFollowsBetween(tx core.App, a, b string) error {
	follows, err := tx.FindAllRecords("follows",
		dbx.NewExp("(follower = {:a} AND followee = {:b}) OR (follower = {:b} AND followee = {:a})", dbx.Params{"a": a, "b": b}))
	if err != nil {
		return fmt.Errorf("find follows between %s and %s: %w", a, b, err)
	}
	for _, follow := range follows {
		if err := tx.Delete(follow); err != nil {
			return fmt.Errorf("delete follow %s: %w", follow.Id, err)
		}
	}
	return nil
}

// ReleaseRequests accepts the requests that are still open when a private account, the subject's user, has become public, the oldest
// first. Accepting ends when it is private again.
var ReleaseRequests = sweep.Work{Kind: "graph.release", Parts: []sweep.Part{requests}}

var requests = func() sweep.Part {
	part := sweep.Records("follows", `followee = {:user} AND state = 'pending' AND (SELECT NOT private FROM users WHERE id = {:user})`,
		func(tx core.App, follow *core.Record) error {
			follow.Set("state", Accepted)
			return tx.Save(follow)
		})
	part.Order = `ORDER BY created`
	return part
}()
