package inbox

import (
	"fmt"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// How many topics one stream may have. A superuser's bound is PocketBase's own, 1,000.
const (
	guestTopics  = 20
	deviceTopics = 100
)

// allowed returns the 400 for a stream that asks for too much: each topic is work for each change that it is about.
// Of our collections, guests hear without options: so all of them are shown the same, and one look serves them all. Of
// what is personal they hear nothing, so a device whose session has ended may ask for it again as it did before.
func allowed(auth *core.Record, subs []string, ours []topic) error {
	if auth != nil && auth.IsSuperuser() {
		return nil
	}
	most := deviceTopics
	if auth == nil {
		most = guestTopics
	}
	if len(subs) > most {
		return tooMuch("validation_length_out_of_range", fmt.Sprintf("A stream has at most %d topics when you are signed in, and %d when you are not.", deviceTopics, guestTopics))
	}
	if auth != nil {
		return nil
	}
	for _, t := range ours {
		if !t.personal() && len(t.options.Query)+len(t.options.Headers) > 0 {
			return tooMuch("validation_not_allowed", "Topics with options are for those who are signed in.")
		}
	}
	return nil
}

func tooMuch(code, words string) error {
	return apis.NewBadRequestError(words, validation.Errors{"subscriptions": validation.NewError(code, words)})
}
