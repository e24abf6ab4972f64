// Who liked a post, as far as the viewer may know them.

import { html, useEffect, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { openCursor, openList } from '../lib/cursor.js';
import { Dialog } from './dialog.js';
import { Person } from './persons.js';
import { End, Loading, Trouble, useAgain, useChannel } from './ui.js';

export function Likers({ post, onClose }) {
  const [list] = useState(() => openList(openCursor(pb, 'likes', { filter: pb.filter('post = {:id}', { id: post.id }), expand: 'user' })));
  useChannel(list.changes);
  useEffect(() => void list.more(), []);
  const { rows, phase, error } = list.get();
  useAgain(phase === 'failed' && error, list.more);
  const people = rows.map((row) => row.expand?.user).filter(Boolean);
  return html`<${Dialog} name="list" title="Likes" onClose=${onClose}><div class="tray">
    ${phase === 'loading' && html`<${Loading} what="The list" />`}
    ${phase === 'failed' && !rows.length && html`<${Trouble} what="The list" error=${error} onAgain=${list.more} />`}
    ${phase === 'ready' && list.done && !people.length && html`<p class="hint">Nobody whom you can see.</p>`}
    <ul class="persons">${people.map((one) => html`<${Person} key=${one.id} person=${one} />`)}</ul><${End} list=${list} /></div><//>`;
}
