package reconcile

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/erase"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
)

// MaxDevices is how many push devices a person may have: each alert sends one request to each of them, to a host of
// their choice.
const MaxDevices = 20

func accountInvariants() []*Invariant {
	return []*Invariant{
		{
			Check: "accounts", Name: "handle", Holds: "Everybody has a handle.", Cost: Hourly, Table: "users", Broken: `t.handle = ''`,
			Mend: mendEach(func(tx core.App, id string) error {
				user, err := db.RequireRecord(tx, "users", id)
				if err != nil {
					return err
				}
				handle, err := account.FindFreeHandle(tx, user.GetString("name"))
				if err != nil {
					return err
				}
				_, err = db.Exec(tx, `UPDATE users SET handle = {:handle} WHERE id = {:id}`, db.Params{"handle": handle, "id": id})
				return err
			}),
		},
		{
			Check: "accounts", Name: "handle-form", Holds: "A handle has the form of handles.", Cost: Hourly, Table: "users",
			Broken:         `t.handle != '' AND (length(t.handle) NOT BETWEEN 3 AND 30 OR t.handle GLOB '*[^a-z0-9_.]*' OR t.handle GLOB '.*' OR t.handle GLOB '*.' OR t.handle GLOB '*..*')`,
			WhyNotRepaired: "people know each other by their handles: the operator or the person gives another",
		},
		{
			Check: "accounts", Name: "state", Holds: "An account is active, suspended or deleting.", Cost: Hourly, Table: "users",
			Broken: `t.state NOT IN ('active', 'suspended', 'deleting')`, WhyNotRepaired: "nobody knows which was meant, and the account is closed meanwhile: the operator says",
		},
		{
			Check: "accounts", Name: "role", Holds: "Everybody is a member or a moderator.", Cost: Hourly, Table: "users",
			Broken: `t.role NOT IN ('member', 'moderator')`, Mend: mendByStatements(`UPDATE users SET role = 'member' WHERE id IN @ids`),
		},
		{
			Check: "accounts", Name: "erasure", Holds: "An account that is being deleted has a job that erases it.", Cost: Hourly, Table: "users",
			Broken: `t.state = 'deleting' AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = '` + erase.AccountWork.Kind + `' AND iif(json_valid(j.payload), j.payload ->> 'user', '') = t.id)`,
			Mend: mendEach(func(tx core.App, id string) error {
				return job.Enqueue(tx, erase.AccountWork.Kind, sweep.Subject{"user": id}, job.Dedupe(id))
			}),
		},
		{
			Check: "accounts", Name: "device-account", Holds: "Only people whose account is active have push devices.", Cost: Hourly, Table: "devices", Values: []string{"user"},
			Broken: `EXISTS (SELECT 1 FROM users u WHERE u.id = t.user AND u.state != 'active')`, Mend: mendByDelete("devices", "id"),
		},
		{
			Check: "accounts", Name: "device-number", Holds: fmt.Sprintf("Nobody has more than %d push devices.", MaxDevices), Cost: Hourly, Table: "users",
			Broken: fmt.Sprintf(`(SELECT count(*) FROM devices d WHERE d.user = t.id) > %d`, MaxDevices),
			Mend: mendEach(func(tx core.App, id string) error {
				_, err := sweep.DeleteRows(tx, "devices", `id IN (SELECT id FROM devices WHERE user = {:u} ORDER BY max(lastSeen, created) DESC, id LIMIT -1 OFFSET {:most})`,
					db.Params{"u": id, "most": MaxDevices})
				return err
			}),
		},
		{
			Check: "accounts", Name: "device-keys", Holds: "The keys of a device are an object.", Cost: Hourly, Table: "devices",
			Broken: notOfType("keys", "object"), WhyNotRepaired: "without its keys nothing can be sent to it: the device registers anew when its app is opened",
		},
		{
			Check: "accounts", Name: "gone-id", On: "users", Holds: "What is there is not remembered as gone.", Cost: Hourly, Table: "users", Broken: goneIDCondition, Mend: forgetGone,
		},
	}
}

// goneIDCondition is the SQL condition of rows whose ids are stored as deleted ones, which are never used again.
const goneIDCondition = `EXISTS (SELECT 1 FROM gone_ids g WHERE g.id = t.id)`

var forgetGone = mendByStatements(`DELETE FROM gone_ids WHERE id IN @ids`)

// notOfType returns the SQL condition of rows whose JSON column is neither empty nor of the type.
func notOfType(column, kind string) string {
	return fmt.Sprintf(`coalesce(t.%[1]s, '') NOT IN ('', 'null') AND iif(json_valid(t.%[1]s), json_type(t.%[1]s), 'invalid') != '%[2]s'`, column, kind)
}

// settingsInvariants are about settings, one row for each person, which number the changes of the person's tray.
func settingsInvariants() []*Invariant {
	const given = `max(coalesce((SELECT max(seq) FROM notifications WHERE recipient = t.user), 0), coalesce((SELECT max(seq) FROM retractions WHERE recipient = t.user), 0))`
	return []*Invariant{
		{
			Check: "settings", Name: "settings", Holds: "Everybody has settings.", Cost: Hourly, Table: "users",
			Broken: `NOT EXISTS (SELECT 1 FROM settings s WHERE s.user = t.id)`, Mend: mendEach(func(tx core.App, id string) error { return account.MakeSettings(tx, id, "") }),
		},
		{
			Check: "settings", Name: "seq", Holds: "The last place given in the order of changes is not before one that a notification or a retraction has.", Cost: Hourly, Table: "settings",
			Broken: `t.seq < ` + given, Mend: mendByStatements(`UPDATE settings AS t SET seq = ` + given + ` WHERE id IN @ids`),
		},
		{
			Check: "settings", Name: "preferences", Holds: "Preferences are an object.", Cost: Hourly, Table: "settings",
			Broken: notOfType("notify", "object"), Mend: mendByStatements(`UPDATE settings SET notify = '{}' WHERE id IN @ids`),
		},
		{
			Check: "settings", Name: "digest", Holds: "A digest is off, hourly or daily.", Cost: Hourly, Table: "settings",
			Broken: `t.digest NOT IN ('', 'off', 'hourly', 'daily')`, Mend: mendByStatements(`UPDATE settings SET digest = 'off' WHERE id IN @ids`),
		},
		{
			Check: "settings", Name: "quiet-hours", Holds: "Quiet hours have a beginning and an end.", Cost: Hourly, Table: "settings",
			Broken: `(t.quietFrom = '') != (t.quietTo = '')`, Mend: mendByStatements(`UPDATE settings SET quietFrom = '', quietTo = '' WHERE id IN @ids`),
		},
	}
}

func handleInvariants() []*Invariant {
	return []*Invariant{
		{
			Check: "handles", Name: "reserved-name", Holds: "What is reserved is a name.", Cost: Hourly, Table: "handles", Broken: `t.name = ''`, Mend: mendByDelete("handles", "id"),
		},
		{
			Check: "handles", Name: "reserved-until", Holds: "A handle that somebody gave up is kept for at most 30 days.", Cost: Hourly, Table: "handles",
			Broken: `t.until > {:month}`,
			Mend: func(tx core.App, ids []string) error {
				_, err := db.Exec(tx, `UPDATE handles SET until = {:until} WHERE id IN (SELECT value FROM json_each({:ids}))`,
					db.Params{"until": clock.FormatTime(clock.Now(tx).AddDate(0, 0, 30)), "ids": db.JSONList(ids)})
				return err
			},
		},
		{
			Check: "handles", Name: "reserved-for", Holds: "A handle is kept for somebody who is there.", Cost: Hourly, Table: "handles",
			Broken: `t.user != '' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.user)`, Mend: mendByStatements(`UPDATE handles SET user = '' WHERE id IN @ids`),
		},
		{
			Check: "handles", Name: "deleted-name", Holds: "The handle of a deleted account is nobody else's.", Cost: Hourly, Table: "users",
			Broken:         `t.state != 'deleting' AND EXISTS (SELECT 1 FROM handles h WHERE h.name = t.handle COLLATE NOCASE AND h.reason = 'deleted')`,
			WhyNotRepaired: "somebody goes by it now: the operator gives them another, or deletes the row of handles",
		},
	}
}

func jobInvariants() []*Invariant {
	return []*Invariant{
		{
			Check: "queue", Name: "job-state", Holds: "A job is ready, running or dead.", Cost: Hourly, Table: "jobs",
			Broken: `t.state NOT IN ('ready', 'running', 'dead')`, Mend: mendByStatements(`UPDATE OR IGNORE jobs SET state = 'ready', runAt = {:now} WHERE id IN @ids`, `DELETE FROM jobs WHERE id IN @ids AND state != 'ready'`),
		},
		{
			Check: "queue", Name: "lease", Holds: "No worker has a job for longer than a lease lasts.", Cost: Hourly, Table: "jobs",
			Broken: `t.state = 'running' AND t.runAt > {:lease}`, Mend: mendByStatements(`UPDATE jobs SET runAt = {:now} WHERE id IN @ids`),
		},
		{
			Check: "queue", Name: "job-due", Holds: "A job is due at a time.", Cost: Hourly, Table: "jobs",
			Broken: `t.state != 'dead' AND julianday(t.runAt) IS NULL`, Mend: mendByStatements(`UPDATE jobs SET runAt = {:now} WHERE id IN @ids`),
		},
		{
			Check: "queue", Name: "job-payload", Holds: "What a job is told is JSON.", Cost: Hourly, Table: "jobs",
			Broken: `t.state != 'dead' AND NOT json_valid(coalesce(t.payload, 'null'))`,
			Mend:   mendByStatements(`UPDATE jobs SET state = 'dead', worker = '', error = 'its payload is no JSON' WHERE id IN @ids`),
		},
		{
			Check: "queue", Name: "job-far", Holds: "A job is due within a month.", Cost: Hourly, Table: "jobs", Warns: true,
			Broken: `t.state = 'ready' AND t.runAt > {:month}`, WhyNotRepaired: "an owner's job may be meant for then: delete it, or set its runAt",
		},
		{
			Check: "queue", Name: "job-kind", Holds: "The program knows the kind of each job.", Cost: Hourly, Table: "jobs", Warns: true,
			Broken: `t.state != 'dead' AND t.kind NOT IN (SELECT value FROM json_each({:kinds}))`, WhyNotRepaired: "a program that knows it may come back: jobs purge deletes it once it is dead",
		},
	}
}

// knownKinds are the kinds of jobs that the program does, as JSON; null for an app without a runner, beside which SQL calls no kind
// unknown.
func knownKinds(app core.App) string {
	if r := job.RunnerOf(app); r != nil {
		return db.JSONList(r.HandledKinds())
	}
	return "null"
}
