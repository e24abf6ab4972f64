package inbox

import (
	"fmt"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// How many topics one stream may have. A superuser's bound is PocketBase's own, 1,000.
const (
	maxGuestTopics = 20
	maxUserTopics  = 100
)

// checkTopicLimits returns the 400 for a stream that asks for too much: each topic is work for each change that it is about.
// Of our collections, guests hear without options: so all of them are shown the same, and one look serves them all. Of
// what is personal they hear nothing, so a device whose session has ended may ask for it again as it did before.
func checkTopicLimits(auth *core.Record, subs []string, ours []topic) error {
	if auth != nil && auth.IsSuperuser() {
		return nil
	}
	most := maxUserTopics
	if auth == nil {
		most = maxGuestTopics
	}
	if len(subs) > most {
		return tooMuchError("validation_length_out_of_range", fmt.Sprintf("A stream has at most %d topics when you are signed in, and %d when you are not.", maxUserTopics, maxGuestTopics))
	}
	if auth != nil {
		return nil
	}
	for _, t := range ours {
		if !t.isPersonal() && len(t.options.Query)+len(t.options.Headers) > 0 {
			return tooMuchError("validation_not_allowed", "Topics with options are for those who are signed in.")
		}
	}
	return nil
}

func tooMuchError(code, words string) error {
	return apis.NewBadRequestError(words, validation.Errors{"subscriptions": validation.NewError(code, words)})
}
