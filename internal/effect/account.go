package effect

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/graph"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/sweep"
)

// AccountChanged is what it causes that an account is made private or public, or is no longer active: its posts leave
// the screens of those who may not see them any more, its public posts are counted anew, and one that is public accepts
// all who had asked to follow.
func AccountChanged(tx core.App, before, after *core.Record) error {
	opened := before.GetBool("private") && !after.GetBool("private")
	if IsAccountNarrowed(before, after) {
		inbox.RecheckAuthor(tx, after.Id)
	}
	if opened || IsAccountNarrowed(before, after) {
		if err := post.EnqueueCount(tx, after.Id); err != nil {
			return err
		}
	}
	if opened {
		return job.Enqueue(tx, graph.ReleaseRequests.Kind, sweep.Subject{"user": after.Id})
	}
	return nil
}

// IsAccountNarrowed reports whether somebody who could see what the account shows may not see it now.
func IsAccountNarrowed(before, after *core.Record) bool {
	return !before.GetBool("private") && after.GetBool("private") || before.GetString("state") != after.GetString("state")
}
