package account

import (
	"slices"
	"strings"
	"testing"
)

// names is what a service reserves, in short.
var names = strings.Fields(`admin api bot bots deleted doubletap dmca docs faq feed help here legal mod moderation moderator news nil official police pop3 postmaster
	press root sales search security ssl staff static support system tag team terms tos user users webmaster www data_protection`)

// TestWhatLooksLikeANameOfTheService has both kinds: what could be taken for the service, and what is somebody's word.
func TestWhatLooksLikeANameOfTheService(t *testing.T) {
	for _, handle := range strings.Fields(`supp0rt adm1n 4dmin r00t ad.min adm_in a.d.m.i.n Ad_Min admln adrnin rnoderator officiai vvebmaster w.w_w ap1 b0t te.am
		doubletap_team doubletap.support team_doubletap doubletapteam doubletap0fficial staff.team d0ubletap_mod supportteam data.protection systern`) {
		if !looksLike(handle, names) {
			t.Errorf("%s is let through", handle)
		}
	}
	for _, handle := range strings.Fields(`apl pope nll bol tagteam modern dear stern corn bottom mall helper press_on doubletap_fan ada_support the.team my_bot supporter
		teamwork policeman badminton rool_ userland rooted searching seeds newsroom bots4u fancy clown burn bum warn`) {
		if looksLike(handle, names) {
			t.Errorf("%s is refused", handle)
		}
	}
}

// TestShortWordsLookLikeNothing offers every word of three letters: none but a reserved one itself can be refused, whatever the
// language.
func TestShortWordsLookLikeNothing(t *testing.T) {
	var offer func(word string)
	offer = func(word string) {
		if len(word) == 3 && looksLike(word, names) && !slices.Contains(names, word) {
			t.Errorf("%s is refused", word)
		}
		if len(word) < 3 {
			for letter := 'a'; letter <= 'z'; letter++ {
				offer(word + string(letter))
			}
		}
	}
	offer("")
}
