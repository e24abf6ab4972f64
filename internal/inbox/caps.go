package inbox

import (
	"fmt"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// How many topics one stream may have. A superuser's limit is PocketBase's own, 1,000.
const (
	maxGuestTopics = 20
	maxUserTopics  = 100
)

// checkTopicLimits returns a 400 error for a stream that asks for too much, else nil: each topic is work for each
// change that it is about. Guests listen to our collections without options, so all of them are shown the same and one
// check of visibility serves them all. A personal topic may have options, though guests are sent nothing of it: a
// device whose session has ended may repeat its former request.
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

func tooMuchError(code, text string) error {
	return apis.NewBadRequestError(text, validation.Errors{"subscriptions": validation.NewError(code, text)})
}
