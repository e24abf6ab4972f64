// Moderation: what is reported, in its context, and what to do about it.
import { button, choice, count, frame, question, tag, tell, time } from './ui.js';

const deeds = { dismiss: 'Dismissed', hide: 'Hidden', unhide: 'Shown again', suspend: 'Suspended', unsuspend: 'Restored' };

export function page() {
  const data = store({ state: 'open' });
  const queue = question(
    (before) => `moderation/queue?state=${data.state}&cursor=${before?.cursor ?? ''}`,
    (before, more) => ({ items: [...before.items, ...more.items], cursor: more.cursor }),
  );
  const act = (item, action, words) => {
    const note = t.textarea({ id: 'dt-note', rows: 3, maxLength: 2000 });
    const asked = t.div({ className: 'dt-stack' }, t.h2({ className: 'dt-head' }, words),
      t.div({ className: 'field' }, t.label({ htmlFor: 'dt-note' }, 'Note for other moderators'), note));
    app.modals.confirm(asked, async () => {
      if (!await tell(`moderation/${item.id}`, { action, note: note.value }, `${deeds[action]}.`)) return false; // the note is still there
      queue.load();
    }, null, { yesButton: 'Do it', noButton: 'Leave it' });
  };
  return frame(
    'Moderation', 'What people report, the longest waiting first. Every decision is kept in the collection audit.',
    [
      app.components.refreshButton({ onclick: queue.load }),
      choice('Reports', [['open', 'open'], ['upheld', 'upheld'], ['dismissed', 'dismissed']], data.state, (state) => {
        data.state = state;
        queue.anew();
      }),
    ],
    queue.shown(({ items, cursor }) => (items.length ? t.div(
      { className: 'dt-stack' },
      ...items.map((item) => card(item, act)),
      cursor ? button('Show more', queue.more) : null,
    ) : t.p({ className: 'dt-none' }, data.state === 'open' ? 'Nothing is waiting here.' : 'There are none of these.'))),
  );
}

function card(item, act) {
  const { user, post, comment } = item;
  const content = comment ?? post;
  const what = comment ? 'comment' : 'post';
  return t.article(
    { className: 'dt-card dt-report', ariaLabel: `Report ${item.id}` },
    t.header(
      { className: 'dt-row' },
      tag(item.reason || 'no reason', 'warning'),
      item.reports > 1 ? tag(`${count(item.reports)} reports`, 'danger') : null,
      t.span({ className: 'txt-hint txt-sm' }, `by ${item.reporter ? `@${item.reporter.handle}` : 'somebody who is gone'}, ${time(item.created)}`),
    ),
    item.note ? t.blockquote({ className: 'dt-quote' }, item.note) : null,
    comment ? t.p(null, t.strong(null, `@${comment.author?.handle ?? 'gone'} wrote `), t.bdi(null, comment.text), ' ', comment.hidden ? tag('hidden', 'danger') : null) : null,
    post ? shown(post) : null,
    !content && !user ? t.p({ className: 'txt-hint' }, 'What was reported is gone.') : null,
    user ? t.p(
      { className: 'dt-row' },
      user.avatar ? t.img({ className: 'dt-face', src: user.avatar, alt: '' }) : null,
      t.strong(null, `@${user.handle}`), user.name && user.name !== user.handle ? t.bdi(null, user.name) : null,
      tag(user.state, user.state === 'active' ? 'success' : 'danger'), user.role === 'moderator' ? tag('moderator') : null,
      user.bio ? t.bdi({ className: 'txt-hint' }, user.bio) : null,
    ) : null,
    item.history.length ? t.details(null, t.summary(null, item.history.length > 1 ? `${count(item.history.length)} decisions so far` : '1 decision so far'),
      t.ul(null, ...item.history.map((h) => t.li(null, `${time(h.at)}: ${h.action} by ${h.actor}${h.after.note ? ` – ${h.after.note}` : ''}`)))) : null,
    t.div(
      { className: 'dt-row' },
      item.state === 'dismissed' ? null : button('Dismiss', () => act(item, 'dismiss', 'Dismiss this report?')),
      content && !content.hidden ? button(`Hide the ${what}`, () => act(item, 'hide', `Hide this ${what}? Only its author will see it.`), '') : null,
      content?.hidden ? button(`Show the ${what} again`, () => act(item, 'unhide', `Show this ${what} again?`)) : null,
      user?.state === 'active' ? button(`Suspend @${user.handle}`, () => act(item, 'suspend', `Suspend @${user.handle}? They are signed out everywhere at once.`), 'danger') : null,
      user?.state === 'suspended' ? button(`Restore @${user.handle}`, () => act(item, 'unsuspend', `Let @${user.handle} in again?`)) : null,
    ),
  );
}

function shown(post) {
  return t.div(
    { className: 'dt-post' },
    t.div({ className: 'dt-photos' }, ...post.photos.map((photo, i) => t.a(
      { href: photo.url, target: '_blank', rel: 'noreferrer' },
      t.img({ src: photo.thumb, alt: photo.alt || `Photo ${i + 1} of @${post.author?.handle ?? 'gone'}`, width: 160, height: 160, loading: 'lazy' }),
    ))),
    t.p(null, t.strong(null, `@${post.author?.handle ?? 'gone'} `), t.bdi(null, post.caption), ' ', tag(post.visibility), post.hidden ? tag('hidden', 'danger') : null),
  );
}
