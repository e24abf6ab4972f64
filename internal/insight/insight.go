// Package insight shows operators what happens in the service, and why somebody may see a record or not.
package insight

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/metrics"
)

// Figures are what happened, day by day, and the present state of the service.
type Figures struct {
	Days       []DayFigures    `json:"days"` // the oldest first, today last, in UTC
	Likes      metrics.Latency `json:"likes"`
	Deliveries metrics.Latency `json:"deliveries"`
	Queue      QueueState      `json:"queue"`
	Webhooks   []WebhookInfo   `json:"webhooks"`
	Reports    int             `json:"reports"` // open ones
	People     int             `json:"people"`  // connected now
	Devices    int             `json:"devices"`
}

// DayFigures is what happened on one day.
type DayFigures struct {
	Day     string `json:"day" db:"day"`
	Likes   int    `json:"likes" db:"likes"`
	Posts   int    `json:"posts" db:"posts"`
	Signups int    `json:"signups" db:"signups"`
	Active  int    `json:"active" db:"active"` // people who posted, liked or commented
}

// QueueState is the state of the background jobs.
type QueueState struct {
	Ready   int     `json:"ready"`
	Running int     `json:"running"`
	Dead    int     `json:"dead"`
	Late    float64 `json:"late"` // for how many seconds the longest due job has waited
}

// WebhookInfo is how the deliveries to one webhook go.
type WebhookInfo struct {
	ID           string `json:"id" db:"id"`
	URL          string `json:"url" db:"url"`
	Disabled     bool   `json:"disabled" db:"disabled"`
	Reason       string `json:"reason" db:"reason"`
	FailingSince string `json:"failingSince" db:"failingSince"`
	Delivered    int    `json:"delivered" db:"delivered"`
	Failing      int    `json:"failing" db:"failing"`
	Dead         int    `json:"dead" db:"dead"`
}

// ReadFigures returns the figures of the last days; today is one of them. It writes nothing.
func ReadFigures(app core.App, days int) (*Figures, error) {
	f := &Figures{Webhooks: []WebhookInfo{}}
	now := clock.Now(app)
	since := now.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	err := db.QueryAll(app, &f.Days, `WITH RECURSIVE d(day) AS (SELECT {:first} UNION ALL SELECT date(day, '+1 day') FROM d WHERE day < {:today}),
			l AS (SELECT substr(created, 1, 10) day, user person FROM likes WHERE created >= {:first}),
			p AS (SELECT substr(created, 1, 10) day, author person FROM posts WHERE created >= {:first}),
			c AS (SELECT substr(created, 1, 10) day, author person FROM comments WHERE created >= {:first} AND author != ''),
			u AS (SELECT substr(created, 1, 10) day FROM users WHERE created >= {:first}),
			nl AS (SELECT day, count(*) n FROM l GROUP BY day), np AS (SELECT day, count(*) n FROM p GROUP BY day),
			nu AS (SELECT day, count(*) n FROM u GROUP BY day),
			na AS (SELECT day, count(*) n FROM (SELECT day, person FROM l UNION SELECT day, person FROM p UNION SELECT day, person FROM c) GROUP BY day)
		SELECT d.day, coalesce(nl.n, 0) likes, coalesce(np.n, 0) posts, coalesce(nu.n, 0) signups, coalesce(na.n, 0) active FROM d
		LEFT JOIN nl ON nl.day = d.day LEFT JOIN np ON np.day = d.day LEFT JOIN nu ON nu.day = d.day LEFT JOIN na ON na.day = d.day ORDER BY d.day`,
		db.Params{"first": since.Format(time.DateOnly), "today": now.Format(time.DateOnly)})
	if err != nil {
		return nil, fmt.Errorf("count what happened: %w", err)
	}
	if f.Likes, f.Deliveries, err = metrics.ForApp(app).Latencies(); err != nil {
		return nil, err
	}
	var due string
	_, err = db.QueryRow(app, `SELECT count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE state = 'dead'),
		coalesce(min(runAt) FILTER (WHERE state = 'ready'), '') FROM jobs`, nil, &f.Queue.Ready, &f.Queue.Running, &f.Queue.Dead, &due)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	if at, err := clock.ParseTime(due); err == nil {
		f.Queue.Late = max(0, now.Sub(at).Seconds())
	}
	if f.Webhooks, err = ListWebhooks(app); err != nil {
		return nil, err
	}
	if _, err := db.QueryValue(app, &f.Reports, `SELECT count(*) FROM reports WHERE state = 'open'`, nil); err != nil {
		return nil, fmt.Errorf("count reports: %w", err)
	}
	return f, nil
}

// ListWebhooks returns all webhooks with the counts of their deliveries that are still stored.
func ListWebhooks(app core.App) ([]WebhookInfo, error) {
	all := []WebhookInfo{}
	err := db.QueryAll(app, &all, `SELECT w.id, w.url, w.disabled, w.reason, w.failingSince, count(*) FILTER (WHERE d.state = 'delivered') delivered,
		count(*) FILTER (WHERE d.state = 'failing') failing, count(*) FILTER (WHERE d.state = 'dead') dead
		FROM webhooks w LEFT JOIN webhook_deliveries d ON d.webhook = w.id GROUP BY w.id ORDER BY w.created`, nil)
	if err != nil {
		return nil, fmt.Errorf("read how webhooks do: %w", err)
	}
	return all, nil
}
