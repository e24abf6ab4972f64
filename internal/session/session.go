// Package session keeps a row for each sign-in of a user. Each token names its session in a claim and is refused, as if
// nobody had sent it, once the row is gone or its time is over. Tokens without the claim, those of Go code and of the time
// before there were sessions, live as long as PocketBase lets them.
package session

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/sweep"
)

// How long a session lasts.
const (
	IdleTime    = 14 * 24 * time.Hour // without a request
	LongestTime = 90 * 24 * time.Hour // after which a person signs in again, however often they come
)

// MaxSessions is how many sessions a user has: one more ends the one that was unseen for longest.
const MaxSessions = 100

// Impersonation is the method of a session that a superuser began. It ends with its token, whose time the superuser chose.
const Impersonation = "impersonation"

// Session is a sign-in of a user.
type Session struct {
	ID       string `db:"id"`
	User     string `db:"user"`
	Method   string `db:"method"`  // such as password, otp, oauth2 or Impersonation; empty when it is not known
	Device   string `db:"device"`  // as people read it
	Address  string `db:"address"` // shortened
	Created  string `db:"created"`
	LastSeen string `db:"lastSeen"`
	Ends     string `db:"ends"` // at the latest
}

// End returns when the session ends if nobody uses it any more.
func (s *Session) End() (time.Time, error) {
	ends, err := clock.ParseTime(s.Ends)
	if err != nil {
		return time.Time{}, fmt.Errorf("read when session %s ends: %w", s.ID, err)
	}
	if s.Method == Impersonation {
		return ends, nil
	}
	seen, err := clock.ParseTime(s.LastSeen)
	if err != nil {
		return time.Time{}, fmt.Errorf("read when session %s was used: %w", s.ID, err)
	}
	if idle := seen.Add(IdleTime); idle.Before(ends) {
		return idle, nil
	}
	return ends, nil
}

const selectSessions = `SELECT id, user, method, device, address, created, lastSeen, ends FROM account_sessions WHERE `

// FindLive returns the user's session with the id, and when it ends unless it is used; nil if it has ended.
func FindLive(app core.App, id, user string) (*Session, time.Time, error) {
	var s Session
	found, err := db.QueryOne(app, &s, selectSessions+`id = {:id} AND user = {:user}`, db.Params{"id": id, "user": user})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("find session %s: %w", id, err)
	}
	if !found {
		return nil, time.Time{}, nil
	}
	end, err := s.End()
	if err != nil || !clock.Now(app).Before(end) {
		return nil, time.Time{}, err
	}
	return &s, end, nil
}

// List returns the user's sessions that have not ended, the last used first.
func List(app core.App, user string) ([]Session, error) {
	var all, live []Session
	if err := db.QueryAll(app, &all, selectSessions+`user = {:user} ORDER BY lastSeen DESC, id`, db.Params{"user": user}); err != nil {
		return nil, fmt.Errorf("list the sessions of %s: %w", user, err)
	}
	for _, s := range all {
		end, err := s.End()
		if err != nil {
			return nil, err
		}
		if clock.Now(app).Before(end) {
			live = append(live, s)
		}
	}
	return live, nil
}

// Start stores a session that begins now, and returns the ids of those for which there is no more room.
func Start(tx core.App, s *Session) (crowdedOut []string, err error) {
	s.Created = clock.Timestamp(tx)
	s.LastSeen = s.Created
	_, err = db.Exec(tx, `INSERT OR REPLACE INTO account_sessions (id, user, method, device, address, lastSeen, ends, created, updated)
		VALUES ({:id}, {:user}, {:method}, {:device}, {:address}, {:now}, {:ends}, {:now}, {:now})`, db.Params{
		"id": s.ID, "user": s.User, "method": s.Method, "device": s.Device, "address": s.Address, "ends": s.Ends, "now": s.Created})
	if err != nil {
		return nil, fmt.Errorf("store a session of %s: %w", s.User, err)
	}
	err = db.QueryColumn(tx, &crowdedOut, `SELECT id FROM account_sessions WHERE user = {:user} AND id != {:id} ORDER BY lastSeen DESC, id LIMIT -1 OFFSET {:others}`,
		db.Params{"user": s.User, "id": s.ID, "others": MaxSessions - 1})
	if err != nil {
		return nil, fmt.Errorf("find the sessions of %s beyond %d: %w", s.User, MaxSessions, err)
	}
	return crowdedOut, nil
}

// Expire deletes sessions whose time is over. Their push devices stay: it is those who do not open the app who are called back
// to it, and the devices have a time of their own.
func Expire(tx core.App, ids []string) error {
	params := db.Params{"ids": db.JSONList(ids)}
	if _, err := db.Exec(tx, `UPDATE devices SET session = '' WHERE session IN (SELECT value FROM json_each({:ids}))`, params); err != nil {
		return fmt.Errorf("let push devices outlive their sessions: %w", err)
	}
	return Delete(tx, ids)
}

// Delete deletes sessions with the push devices that were registered in them.
func Delete(tx core.App, ids []string) error {
	params := db.Params{"ids": db.JSONList(ids)}
	if _, err := sweep.DeleteRows(tx, "devices", `session IN (SELECT value FROM json_each({:ids}))`, params); err != nil {
		return err
	}
	_, err := sweep.DeleteRows(tx, "account_sessions", `id IN (SELECT value FROM json_each({:ids}))`, params)
	return err
}
