// What else one can do with a post, and with whoever posted it.

import { html, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { copy } from '../lib/share.js';
import { BlockQuestion } from './block.js';
import { Confirm } from './dialog.js';
import { Menu } from './menu.js';
import { handleOf } from './people.js';
import { UnfollowQuestion } from './persons.js';
import { useSession } from './session.js';
import { later, useChannel } from './ui.js';

const Report = later(() => import('./report.js').then((module) => module.Report));
const EditPost = later(() => import('./edit.js').then((module) => module.EditPost));

const unknown = { changes: { listen: () => () => {} }, shown: () => ({}) }; // what ties one to an author who is out of sight

export function PostMenu({ post, onHeard, onGone }) {
  const { user, guest, feed, say, tieOf } = useSession();
  const [dialog, setDialog] = useState('');
  const author = post.expand?.author;
  const handle = handleOf(author);
  const mine = post.author === user.id;
  const tie = author && !mine ? tieOf(author) : unknown;
  useChannel(tie.changes);
  const { following, muting, blocking } = tie.shown();
  const close = () => setDialog('');

  const attempt = (action, words) => async () => {
    try {
      await action();
      say(words);
    } catch (err) {
      say(because(err));
    }
  };
  const without = () => feed.without(author.id);
  const unfollow = () => tie.unfollow().then(without);
  const link = { word: 'Copy link', onClick: () => copy(`/p/${post.id}`, say) };
  const actions = guest ? [link] : mine
    ? [link, { word: 'Edit', onClick: () => setDialog('edit') }, { word: 'Delete', onClick: () => setDialog('delete'), danger: true }]
    : [
      link,
      { word: 'Hide from my feed', onClick: attempt(() => feed.hide(post.id), 'Hidden. It will not come back.') },
      following && { word: `Unfollow ${handle}`, onClick: author.private ? () => setDialog('unfollow') : attempt(unfollow, `You no longer follow ${handle}.`) },
      author && !muting && { word: `Mute ${handle}`, onClick: attempt(() => tie.mute().then(without), `${handle} is muted, and does not know.`) },
      author && !blocking && { word: `Block ${handle}`, onClick: () => setDialog('block'), danger: true },
      { word: 'Report', onClick: () => setDialog('report'), danger: true },
    ];

  async function remove() {
    await pb.collection('posts').delete(post.id, { requestKey: null }).catch((err) => {
      if (err.status !== 404) throw err;
    });
    say('Your post is deleted.');
    onGone();
  }

  return html`<${Menu} opened label=${`More about the post by ${handle}`} actions=${actions} />
    ${dialog === 'delete' && html`<${Confirm} title="Delete this post?" action="Delete post" onDo=${remove} onClose=${close}>
      Its photos, likes and comments go with it.<//>`}
    ${dialog === 'edit' && html`<${EditPost} quiet post=${post} onHeard=${onHeard} onClose=${close} />`}
    ${dialog === 'unfollow' && html`<${UnfollowQuestion} person=${author} onDo=${unfollow} onClose=${close} />`}
    ${dialog === 'block' && html`<${BlockQuestion} person=${author} onDone=${() => { say(`${handle} is blocked.`); onGone(); }} onClose=${close} />`}
    ${dialog === 'report' && html`<${Report} quiet target=${{ post: post.id }} what="this post" onClose=${close} />`}`;
}
