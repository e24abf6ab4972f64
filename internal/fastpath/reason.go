package fastpath

import "github.com/doubletap/doubletap/internal/visibility"

// The reasons, besides those of rules and of package listing, why a request that the fast path knows takes PocketBase's
// general path.
const (
	TurnedOff    visibility.Reason = "off"         // DOUBLETAP_FASTPATH is off
	OwnersHooks  visibility.Reason = "hooks"       // an owner has bound a hook that only the general path runs
	NoUser       visibility.Reason = "caller"      // a guest, a superuser or a user of another collection asks
	RateLimited  visibility.Reason = "rate_limit"  // one of the admin's limits applies
	UnknownQuery visibility.Reason = "query"       // it asks for something that only the general path knows
	UnknownBody  visibility.Reason = "body"        // it is no plain like
	NoSuchPost   visibility.Reason = "post"        // the rule lets in a like of a post that is not there
	IsReferred   visibility.Reason = "references"  // something of the owner's refers to likes
	TooLarge     visibility.Reason = "answer_size" // the answer is too large for the fast path's buffers
	ReadFailed   visibility.Reason = "error"       // the general path meets the error again and answers it
)
