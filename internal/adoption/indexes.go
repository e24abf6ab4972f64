package adoption

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"

	"github.com/doubletap/doubletap/internal/db"
)

// ourIndexes are the indexes that our migrations create. A name is taken in all of a database, in capital letters too. A
// test compares them with a fresh folder.
const ourIndexes = `
	idx_account_sessions_user idx_audit_newest idx_audit_target idx_blocks_blocked idx_blocks_edge idx_comment_likes_edge idx_comment_likes_user
	idx_comments_author idx_comments_parent idx_comments_thread idx_devices_endpoint idx_devices_session idx_devices_user idx_follows_bell
	idx_follows_edge idx_follows_followee idx_follows_in idx_follows_out idx_handles_name idx_handles_reserved
	idx_handles_until idx_handles_user idx_hashtags_name idx_hashtags_unfolded idx_hidden_posts_edge
	idx_hidden_posts_post idx_idempotency_key idx_jobs_dedupe idx_jobs_delayed idx_jobs_due idx_jobs_lane idx_likes_edge idx_likes_post
	idx_likes_user idx_mailings_kind idx_mailings_last idx_mutes_edge idx_mutes_muted idx_mutes_post
	idx_notification_events_actor idx_notification_events_event idx_notification_events_group
	idx_notification_events_subject idx_notifications_comment idx_notifications_group idx_notifications_latest
	idx_notifications_post idx_notifications_seq idx_notifications_unread idx_post_tags_edge idx_post_tags_newest
	idx_post_tags_post idx_posts_author idx_posts_created idx_posts_public idx_reports_comment idx_reports_post
	idx_reports_queue idx_reports_reporter idx_reports_subject idx_reports_user idx_retractions_created
	idx_retractions_notification idx_retractions_seq idx_saves_edge idx_saves_post idx_secrets_name idx_settings_user
	idx_stories_author idx_story_views_edge idx_story_views_viewer idx_users_email_lookup idx_users_handle
	idx_users_handle_lookup idx_webhook_deliveries_event idx_webhook_deliveries_state search_hashtags_waiting
	search_posts_waiting search_users_waiting`

// IndexNames returns the names of our indexes: no index of an app can keep one of them.
func IndexNames() []string { return strings.Fields(ourIndexes) }

// examineIndexes looks for indexes whose names are ours, save those that ours replace.
func (e *examination) examineIndexes() error {
	var name, table string
	err := db.QueryEach(e.app, `SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' ORDER BY name`, nil, func() {
		refused := table != "users" && slices.Contains(TakenNames(), table) // the table is a clash already
		if slices.Contains(IndexNames(), strings.ToLower(name)) && !refused && !(table == "users" && isReplaced(e.users, name)) {
			e.clash(table, "", 0, fmt.Sprintf("its index %s has the name of one of ours", name), "give the index another name in the dashboard")
		}
	}, &name, &table)
	if err != nil {
		return fmt.Errorf("read the names of the app's indexes: %w", err)
	}
	return nil
}

// isReplaced reports whether an index of users gives way to ours.
func isReplaced(users *core.Collection, name string) bool {
	return slices.ContainsFunc(replacedIndexes(users), func(replaced string) bool { return strings.EqualFold(replaced, name) })
}

// replacedIndexes returns the indexes of users that give way to ours: those of the handle that have our name, or make it
// unique. Ours do that too, and leave room for many without a handle.
func replacedIndexes(users *core.Collection) (names []string) {
	for _, text := range users.Indexes {
		index := dbutils.ParseIndex(text)
		holdsHandle := slices.ContainsFunc(index.Columns, func(c dbutils.IndexColumn) bool { return strings.EqualFold(c.Name, "handle") })
		isOurName := slices.Contains(IndexNames(), strings.ToLower(index.IndexName))
		if holdsHandle && (index.Unique || isOurName && len(index.Columns) == 1) {
			names = append(names, index.IndexName)
		}
	}
	return names
}

// dropReplacedIndexes drops them before handles change. It does not save the collection, which may have people sign in
// by its handle and then needs such an index at each moment.
func dropReplacedIndexes(tx core.App, users *core.Collection) error {
	names := replacedIndexes(users)
	if len(names) == 0 {
		return nil
	}
	left := slices.DeleteFunc(slices.Clone(users.Indexes), func(text string) bool { return slices.Contains(names, dbutils.ParseIndex(text).IndexName) })
	for _, name := range names {
		if _, err := db.Exec(tx, `DROP INDEX IF EXISTS [[`+name+`]]`, nil); err != nil {
			return fmt.Errorf("drop the index %s of users: %w", name, err)
		}
	}
	_, err := db.Exec(tx, `UPDATE _collections SET indexes = {:left} WHERE id = {:users}`, db.Params{"left": db.JSONList(left), "users": users.Id})
	if err != nil {
		return fmt.Errorf("forget the indexes %s of users: %w", strings.Join(names, ", "), err)
	}
	return nil
}
