package hooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
)

// TestNobodyLearnsWhetherAnAddressHasAnAccount asks every door that takes an address, or what it gave for one, several times for an
// account of each kind and for an address that nobody has: status, body, headers and when an id is a new one are the same.
func TestNobodyLearnsWhetherAnAddressHasAnAccount(t *testing.T) {
	t.Setenv("DOUBLETAP_LIMITS", "on")
	const users = "/api/collections/users/"
	ask := func(action string, body jsonObject) func(*hookstest.Service, int) hookstest.Answer {
		return func(s *hookstest.Service, _ int) hookstest.Answer { return s.Guest().Do("POST", users+action, body) }
	}
	type asked = func(*hookstest.Service, int) hookstest.Answer
	for door, of := range map[string]func(address, handle string) asked{
		"request-password-reset": func(address, _ string) asked {
			return ask("request-password-reset", jsonObject{"email": address})
		},
		"request-verification": func(address, _ string) asked { return ask("request-verification", jsonObject{"email": address}) },
		"request-otp, in several spellings": func(address, _ string) asked {
			return func(s *hookstest.Service, n int) hookstest.Answer {
				if n%2 == 1 {
					address = strings.ToUpper(address)
				}
				return s.Guest().Do("POST", users+"request-otp", jsonObject{"email": address})
			}
		},
		"request-otp, each time as soon as there is a new one": func(address, _ string) asked {
			return func(s *hookstest.Service, n int) hookstest.Answer {
				s.Advance(time.Duration(n) * 31 * time.Second)
				return s.Guest().Do("POST", users+"request-otp", jsonObject{"email": address})
			}
		},
		"auth-with-otp by an id that was given": func(address, _ string) asked {
			var id any
			return func(s *hookstest.Service, n int) hookstest.Answer {
				if n == 0 {
					id = s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": address}).Body["otpId"]
				}
				return s.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": id, "password": "00000000"})
			}
		},
		"auth-with-otp by ids that were given one after the other": func(address, _ string) asked {
			return func(s *hookstest.Service, n int) hookstest.Answer {
				s.Advance(31 * time.Second)
				id := s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": address}).Body["otpId"]
				return s.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": id, "password": "00000000"})
			}
		},
		"auth-with-password by address": func(address, _ string) asked {
			return ask("auth-with-password", jsonObject{"identity": address, "password": "a wrong one"})
		},
		"auth-with-password by address alone": func(address, _ string) asked {
			return ask("auth-with-password", jsonObject{"identity": address, "identityField": "email", "password": "a wrong one"})
		},
		"auth-with-password by handle": func(_, handle string) asked {
			return ask("auth-with-password", jsonObject{"identity": handle, "password": "a wrong one"})
		},
	} {
		t.Run(door, func(t *testing.T) {
			rounds, handles := 7, []string{"ada", "eve", "carol", "dave"}
			if strings.HasPrefix(door, "request-otp, each time") {
				rounds, handles = 22, []string{"ada", "carol"} // more than the budget of a day
			}
			s := hookstest.New(t)
			s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 900, "length": 8}})
			execSQL(t, s.App, "UPDATE users SET verified = 0 WHERE handle = 'eve'")
			execSQL(t, s.App, "UPDATE users SET state = 'suspended' WHERE handle = 'carol'")
			execSQL(t, s.App, "UPDATE users SET state = 'deleting' WHERE handle = 'dave'")
			transcript := func(handle string) (all string) {
				do, last := of(handle+"@example.com", handle), ""
				for n := range rounds {
					a := do(s, n)
					id, _ := a.Body["otpId"].(string)
					all += fmt.Sprintf("%d: %s\nthe id of before: %v\n", n, maskAnswer(a, id+"?"), id == last)
					if id != "" {
						all = strings.ReplaceAll(all, id, "ID")
					}
					last = id
				}
				return all
			}
			want := transcript("nobody")
			for _, handle := range handles {
				execSQL(t, s.App, "DELETE FROM mailings")
				forgetLimits(s)
				if got := transcript(handle); got != want {
					t.Errorf("%s:\n%s\nnobody:\n%s", handle, got, want)
				}
			}
		})
	}
}

// forgetLimits ends the pauses of PocketBase, which count by the address of who asks.
func forgetLimits(s *hookstest.Service) { s.App.Store().Remove("__pbRateLimiters__") }

// TestABlockedPersonLearnsNothingByBlockingBack: whoever blocks the asker is answered like an account in deletion and one that never was.
func TestABlockedPersonLearnsNothingByBlockingBack(t *testing.T) {
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	block := ada.Block("bob")
	execSQL(t, s.App, "UPDATE users SET state = 'deleting' WHERE handle = 'dave'")
	for _, collection := range []struct{ name, end string }{{"blocks", "blocked"}, {"mutes", "muted"}, {"follows", "followee"}, {"reports", "user"}} {
		for way, ask := range map[string]func(id string) hookstest.Answer{
			"create": func(id string) hookstest.Answer {
				return bob.Do("POST", "/api/collections/"+collection.name+"/records", jsonObject{collection.end: id})
			},
			"batch": func(id string) hookstest.Answer {
				return bob.Do("POST", "/api/batch", jsonObject{"requests": []jsonObject{{"method": "POST", "url": "/api/collections/" + collection.name + "/records", "body": jsonObject{collection.end: id}}}})
			},
		} {
			const never = "never0000000000"
			want := maskAnswer(ask(never), never)
			for _, name := range []string{"ada", "dave"} {
				id := s.User(name).Id
				if got := maskAnswer(ask(id), id); got != want {
					t.Errorf("%s of %s by %s:\n%s\nof nobody:\n%s", collection.name, name, way, got, want)
				}
			}
		}
	}
	ada.Delete("blocks", block)
	bob.Block("ada")
}
