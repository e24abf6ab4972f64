// Stories: what people show for a day. Whose one follows, which of them one has seen, and what is over.

/** @import { SignedIn, Story } from './shapes' */
/** @import { StoriesRecord } from './types' */
import { channel } from './cursor.js';

const DAY = 86_400_000;
const PAGES = 5; // of strangers' public ones among which those of people one follows are looked for
const timeOf = (/** @type {string} */ text) => new Date(text.replace(' ', 'T')).getTime();

/**
 * The stories of whom I follow and my own, by author.
 *
 *   const stories = openStories(pb);
 *   await stories.load();
 *   stories.authors();        // [{author, stories: [oldest … newest], unseen}], mine first, then those with something unseen
 *   await stories.see(story); // recorded once, not for my own
 *   stories.changes.listen(draw);
 * @param {SignedIn} pb
 */
export function openStories(pb) {
  const changes = channel();
  const me = pb.authStore.record.id;
  const quiet = { requestKey: null };
  let rows = /** @type {Story[]} */ ([]); // newest first
  let seen = /** @type {Set<string>} */ (new Set()); // ids
  let timer = /** @type {any} */ (0);

  const over = (/** @type {Story} */ story) => story.ends <= Date.now();

  /** What is over goes when its time comes, without being asked. */
  function expire() {
    clearTimeout(timer);
    rows = rows.filter((story) => !over(story));
    const next = Math.min(...rows.map((story) => story.ends));
    if (next < Infinity) timer = setTimeout(expire, Math.min(next - Date.now(), DAY));
    changes.send();
  }

  async function load() {
    const found = /** @type {StoriesRecord[]} */ ([]);
    for (let page = 1; page <= PAGES; page++) {
      const { items } = await pb.collection('stories').getList(page, 100, { filter: 'expires > @now', sort: '-created,-id', expand: 'author', skipTotal: true, ...quiet });
      found.push(...items);
      if (items.length < 100) break;
    }
    const { items: views } = await pb.collection('story_views').getList(1, 500, { filter: pb.filter('viewer = {:me}', { me }), sort: '-created', skipTotal: true, fields: 'story', ...quiet });
    seen = new Set(views.map((view) => view.story));
    const mineOrFollowed = (/** @type {StoriesRecord} */ { author, expand }) => author === me || (expand?.author?.relationship.following && !expand.author.relationship.muting);
    // what the server shows is not over: where this device's clock says so, it is the clock that is wrong
    const endOf = (/** @type {StoriesRecord} */ story) => (timeOf(story.expires) > Date.now() ? timeOf(story.expires) : Infinity);
    rows = found.filter(mineOrFollowed).map((story) => ({ ...story, ends: endOf(story) }));
    expire();
  }

  return {
    changes, load,
    isSeen: (/** @type {Story} */ story) => story.author === me || seen.has(story.id),

    authors() {
      /** @type {Map<string, Story[]>} */
      const groups = Map.groupBy ? Map.groupBy(rows, (story) => story.author) : rows.reduce((all, story) => all.set(story.author, [...(all.get(story.author) ?? []), story]), new Map());
      const all = [...groups.values()].map((stories) => ({ author: stories[0].expand?.author, stories: stories.toReversed(), unseen: stories.some((story) => story.author !== me && !seen.has(story.id)) }));
      const rank = (/** @type {(typeof all)[0]} */ { author, unseen }) => (author?.id === me ? 0 : unseen ? 1 : 2);
      return all.filter(({ author }) => author).sort((a, b) => rank(a) - rank(b)); // else the newest first, as they came
    },

    async see(/** @type {Story} */ story) {
      if (story.author === me || seen.has(story.id)) return;
      seen.add(story.id);
      changes.send();
      await pb.collection('story_views').create({ story: story.id }, quiet).catch((err) => {
        if (err.status) return; // over meanwhile, or its author is gone
        seen.delete(story.id); // no answer: told when it is looked at again
        changes.send();
      });
    },

    add(/** @type {StoriesRecord} */ story) {
      rows = [{ ...story, ends: timeOf(story.expires) }, ...rows.filter((one) => one.id !== story.id)]; // a lost answer's story may have come by itself
      expire();
    },

    async remove(/** @type {Story} */ story) {
      await pb.collection('stories').delete(story.id, quiet).catch((err) => {
        if (err.status !== 404) throw err;
      });
      rows = rows.filter((one) => one.id !== story.id);
      changes.send();
    },

    close: () => clearTimeout(timer),
  };
}
