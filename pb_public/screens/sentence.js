// What a notification says.

import { handleOf } from '../lib/words.js';

const phrases = {
  like: 'liked your photo',
  comment: 'commented on your photo',
  reply: 'replied to your comment',
  comment_like: 'liked your comment',
  mention: 'mentioned you',
  follow: 'started following you',
  follow_request: 'asked to follow you',
  follow_accepted: 'accepted your request to follow',
  post: 'shared a photo',
  order: 'There is news about your order',
  system: 'There is a message from Doubletap',
};

const messages = {
  post_hidden: 'Your post was hidden by a moderator',
  post_restored: 'Your post can be seen again',
  comment_hidden: 'Your comment was hidden by a moderator',
  comment_restored: 'Your comment can be seen again',
  account_restored: 'Your account is no longer suspended',
  report_upheld: 'Thank you: a moderator agreed with your report',
  report_dismissed: 'A moderator looked at your report and found nothing to act on',
};

/** The people of a notification, newest first; who is out of sight is missing. */
export function actorsOf(row) {
  const byId = new Map([row.expand?.actors ?? []].flat().map((actor) => [actor.id, actor]));
  return [row.actors ?? []].flat().map((id) => byId.get(id)).filter(Boolean);
}

/** Who did it and what: ["bob and 3 others", "liked your photo"]. */
export function sentence(row) {
  const phrase = messages[row.message] ?? phrases[row.type] ?? 'did something new';
  if (row.type === 'order' || row.type === 'system') return ['', phrase];
  const names = actorsOf(row).map(handleOf);
  const all = Math.max(row.actorsCount || 0, names.length, 1);
  const first = names[0] ?? 'Someone';
  if (all === 1) return [first, phrase];
  if (all === 2 && names[1]) return [`${first} and ${names[1]}`, phrase];
  return [`${first} and ${all - 1} ${all === 2 ? 'other' : 'others'}`, phrase];
}
