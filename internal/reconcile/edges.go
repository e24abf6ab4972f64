package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/graph"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/visibility"
)

// edgeInvariants are about the rows that connect two things: follows, blocks, mutes, story views and all edges with
// natural keys.
func edgeInvariants() []*Invariant {
	all := []*Invariant{
		{
			Check: "edges", Name: "self", On: "follows", Holds: "Nobody follows, blocks or mutes themselves.", Cost: Hourly, Table: "follows",
			Broken: `t.follower = t.followee`, Mend: mendByDelete("follows", "id"),
		},
		{
			Check: "edges", Name: "self", On: "blocks", Holds: "Nobody follows, blocks or mutes themselves.", Cost: Hourly, Table: "blocks", Broken: `t.blocker = t.blocked`, Mend: mendByDelete("blocks", "id"),
		},
		{
			Check: "edges", Name: "self", On: "mutes", Holds: "Nobody follows, blocks or mutes themselves.", Cost: Hourly, Table: "mutes", Broken: `t.muter = t.muted`, Mend: mendByDelete("mutes", "id"),
		},
		{
			Check: "edges", Name: "self", On: "story_views", Holds: "The author of a story is none of its viewers.", Cost: Hourly, Table: "story_views",
			Broken: `EXISTS (SELECT 1 FROM stories s WHERE s.id = t.story AND s.author = t.viewer)`, Mend: mendByDelete("story_views", "id"),
		},
		{
			Check: "edges", Name: "block", On: "follows", Holds: "Nobody follows across a block.", Cost: Hourly, Table: "blocks",
			Broken: `t.blocker != t.blocked AND (EXISTS (SELECT 1 FROM follows f WHERE f.follower = t.blocker AND f.followee = t.blocked) OR EXISTS (SELECT 1 FROM follows f WHERE f.follower = t.blocked AND f.followee = t.blocker))`,
			Mend:   mendEach(mendAcrossBlock(graph.DeleteFollowsBetween)),
		},
		{
			Check: "edges", Name: "block", On: "notifications", Holds: "Nobody's tray shows what somebody across a block did.", Cost: Hourly, Table: "blocks",
			Broken: `t.blocker != t.blocked AND (EXISTS (SELECT 1 FROM notification_events e WHERE e.actor = t.blocker AND e.recipient = t.blocked AND e.active AND e.notification != '')
				OR EXISTS (SELECT 1 FROM notification_events e WHERE e.actor = t.blocked AND e.recipient = t.blocker AND e.active AND e.notification != ''))
				AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = '` + notification.RetractBetweenWork.Kind + `' AND j.state IN ('ready', 'running'))`,
			Mend: mendEach(mendAcrossBlock(notification.RetractBetween)),
		},
		{
			Check: "edges", Name: "follow-state", Holds: "A follow is pending or accepted.", Cost: Hourly, Table: "follows",
			Broken: `t.state NOT IN ('pending', 'accepted')`, Mend: mendEach(decideFollow),
		},
		{
			Check: "edges", Name: "request", Holds: "Only a private account is asked before it is followed.", Cost: Hourly, Table: "follows",
			Broken: `t.state = 'pending' AND EXISTS (SELECT 1 FROM users u WHERE u.id = t.followee AND ` + visibility.OpenAccountSQL("u") + `)
				AND ` + noJobCondition(graph.ReleaseRequests.Kind, "user", "t.followee"),
			Mend: mendEach(decideFollow),
		},
		{
			Check: "edges", Name: "mute", Holds: "A mute is of somebody or of a post.", Cost: Hourly, Table: "mutes", Broken: `t.muted = '' AND t.post = ''`, Mend: mendByDelete("mutes", "id"),
		},
		{
			Check: "edges", Name: "mute-of-one", Holds: "A mute is not of somebody and of a post at once.", Cost: Hourly, Table: "mutes", Broken: `t.muted != '' AND t.post != ''`,
			WhyNotRepaired: "whom or what was meant is the muter's to say: they or the operator delete the row",
		},
	}
	for _, table := range slices.Sorted(slices.Values(collection.EdgeNames())) {
		ends := collection.Describe(table).Ends
		all = append(all, &Invariant{
			Check: "keys", Name: "key", On: table, Holds: "An edge is stored under its natural key, which clients compute.", Cost: Hourly, Table: table, Proved: true,
			Broken: fmt.Sprintf(`t.id != %s('%s', t.%s)`, naturalKey, table, strings.Join(ends, ", t.")),
			Mend: func(tx core.App, ids []string) error {
				return renameEdges(tx, table, fmt.Sprintf(`%s('%s', %s)`, naturalKey, table, strings.Join(ends, ", ")), ids)
			},
		})
	}
	return all
}

// renameEdges stores edges under the ids that the SQL key tells, and has owners' records that point at them follow.
func renameEdges(tx core.App, table, key string, ids []string) error {
	c, err := tx.FindCachedCollectionByNameOrId(table)
	if err != nil {
		return fmt.Errorf("find the collection %s: %w", table, err)
	}
	former, id, other, p := map[string]string{}, "", "", db.Params{"ids": db.JSONList(ids)}
	if err := db.QueryEach(tx, `SELECT id, `+key+` FROM `+table+` WHERE `+sweep.AmongIDs, p, func() { former[id] = other }, &id, &other); err != nil {
		return fmt.Errorf("find the keys of %s: %w", table, err)
	}
	if _, err := db.Exec(tx, `UPDATE `+table+` SET id = `+key+` WHERE `+sweep.AmongIDs, p); err != nil {
		return fmt.Errorf("give %s their keys: %w", table, err)
	}
	for id, other := range former {
		for on, more := (sweep.Subject{}), true; more; {
			if more, err = sweep.Repoint(tx, c, id, other, on, pageRows); err != nil {
				return err
			}
		}
	}
	return nil
}

// mendAcrossBlock returns a mend that calls separate with the two people of a block.
func mendAcrossBlock(separate func(tx core.App, a, b string) error) func(tx core.App, id string) error {
	return func(tx core.App, id string) error {
		var blocker, blocked string
		found, err := db.QueryRow(tx, `SELECT blocker, blocked FROM blocks WHERE id = {:id}`, db.Params{"id": id}, &blocker, &blocked)
		if err != nil || !found {
			return err
		}
		return separate(tx, blocker, blocked)
	}
}

// decideFollow gives a follow the state that it would have as a new one.
func decideFollow(tx core.App, id string) error {
	follow, err := db.RequireRecord(tx, "follows", id)
	if err != nil {
		return err
	}
	followee, err := db.RequireRecord(tx, "users", follow.GetString("followee"))
	if err != nil {
		return err
	}
	follow.Set("state", graph.InitialState(followee))
	if err := tx.Save(follow); err != nil {
		return fmt.Errorf("save follow %s: %w", id, err)
	}
	return nil
}
