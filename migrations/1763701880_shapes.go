package migrations

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // a server may have no time zone database

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		// values that were stored before shapes were checked would fail at their next update, and strict clients
		// already fail on them
		for _, statement := range []string{
			`UPDATE posts SET alts = json_array(json_extract(alts, '$')) WHERE json_valid(alts) AND json_type(alts) = 'text'`,
			`UPDATE posts SET alts = (SELECT json_group_array(CASE WHEN type = 'text' THEN value ELSE '' END) FROM json_each(posts.alts))
				WHERE json_valid(alts) AND json_type(alts) = 'array' AND EXISTS (SELECT 1 FROM json_each(posts.alts) WHERE type != 'text')`,
			`UPDATE posts SET alts = NULL WHERE json_valid(alts) AND json_type(alts) NOT IN ('array', 'null')`,
			`UPDATE devices SET keys = NULL WHERE json_valid(keys) AND (json_type(keys) NOT IN ('object', 'null')
				OR json_type(keys) = 'object' AND EXISTS (SELECT 1 FROM json_each(devices.keys) WHERE type != 'text'))`,
			`UPDATE settings SET quietFrom = '', quietTo = '' WHERE (quietFrom = '') != (quietTo = '')`,
		} {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return fmt.Errorf("mend stored JSON: %w", err)
			}
		}
		if err := mendTimeZones(app); err != nil {
			return err
		}
		return mendPreferences(app)
	}, nil)
}

// mendTimeZones empties time zones that do not exist: they meant UTC, as an empty one does.
func mendTimeZones(app core.App) error {
	var zones []string
	if err := app.DB().NewQuery(`SELECT DISTINCT timezone FROM settings WHERE timezone != ''`).Column(&zones); err != nil {
		return fmt.Errorf("read the time zones: %w", err)
	}
	for _, zone := range zones {
		if _, err := time.LoadLocation(zone); err == nil && zone != "Local" {
			continue
		}
		if _, err := app.DB().Update("settings", dbx.Params{"timezone": ""}, dbx.HashExp{"timezone": zone}).Execute(); err != nil {
			return fmt.Errorf("empty the time zone %q: %w", zone, err)
		}
	}
	return nil
}

// mendPreferences removes from settings.notify what has no meaning.
func mendPreferences(app core.App) error {
	var rows []struct {
		ID     string `db:"id"`
		Notify string `db:"notify"`
	}
	err := app.DB().NewQuery(`SELECT id, notify FROM settings WHERE json_valid(notify) AND json_type(notify) != 'null' AND notify != '{}'`).All(&rows)
	if err != nil {
		return fmt.Errorf("read the preferences: %w", err)
	}
	for _, row := range rows {
		mended, changed := mendPreferenceJSON(row.Notify)
		if !changed {
			continue
		}
		if _, err := app.DB().Update("settings", dbx.Params{"notify": mended}, dbx.HashExp{"id": row.ID}).Execute(); err != nil {
			return fmt.Errorf("mend the preferences %s: %w", row.ID, err)
		}
	}
	return nil
}

func mendPreferenceJSON(text string) (mended string, changed bool) {
	var stored map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &stored) != nil {
		return "{}", true
	}
	all := map[string]map[string]any{}
	for kind, raw := range stored {
		var one map[string]any
		if json.Unmarshal(raw, &one) != nil || one == nil {
			changed = true
			continue
		}
		for name, value := range one {
			_, isBool := value.(bool)
			text, _ := value.(string)
			wrong := slices.Contains([]string{"list", "live", "push"}, name) && !isBool ||
				name == "mail" && !slices.Contains([]string{"off", "digest", "now"}, text) ||
				name == "from" && !slices.Contains([]string{"all", "follows"}, text)
			if wrong {
				delete(one, name)
				changed = true
			}
		}
		all[kind] = one
	}
	encoded, err := json.Marshal(all)
	return string(encoded), changed && err == nil
}
