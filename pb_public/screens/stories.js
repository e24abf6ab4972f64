// The tray of stories on top of the feed.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { openStories } from '../lib/stories.js';
import { Avatar, handleOf } from './people.js';
import { useSession } from './session.js';
import { Sign, later, useChannel } from './ui.js';

const Viewer = later(() => import('./story.js').then((module) => module.Viewer));
const Share = later(() => import('./storyshare.js').then((module) => module.ShareStory));

export function Stories() {
  const { user, liveChanges, live } = useSession();
  const [stories] = useState(() => openStories(pb));
  useChannel(stories.changes);
  const [open, setOpen] = useState(null); // {order, at}: the authors as they stood when one of them was opened
  const [file, setFile] = useState(null);
  const input = useRef(null);
  const load = () => stories.load().catch(() => {}); // the feed is what one came for; the next connection asks again
  useEffect(() => {
    load();
    let was = live.connected;
    const end = liveChanges.listen(() => {
      if (live.connected && !was) load();
      was = live.connected;
    });
    const woken = () => document.visibilityState === 'visible' && load();
    document.addEventListener('visibilitychange', woken);
    return () => {
      end();
      document.removeEventListener('visibilitychange', woken);
      stories.close();
    };
  }, []);

  const authors = stories.authors();
  function choose(event) {
    setFile(event.target.files[0] ?? null);
    event.target.value = ''; // the same one may be chosen again
  }
  const item = ({ author, unseen }, index) => {
    const mine = author.id === user.id;
    return html`<li key=${author.id}><button class=${unseen ? 'story is-unseen' : 'story'} aria-haspopup="dialog"
      onClick=${() => setOpen({ order: authors.map((one) => one.author.id), at: index })}><span class="story-ring"><${Avatar} user=${author} /></span>${!mine && html`<span class="visually-hidden">${unseen ? 'New story of' : 'Story of'} </span>`}<bdi class="story-name">${mine ? 'Your story' : handleOf(author)}</bdi></button></li>`;
  };
  return html`<ul class="stories" aria-label="Stories" tabindex="0">
    <li><input ref=${input} hidden type="file" id="story-photo" accept="image/jpeg,image/png,image/webp,image/gif" onChange=${choose} />
      <button class="story" onClick=${() => input.current.click()}><span class="story-ring story-add"><${Sign} name="plus" /></span><span class="story-name">Add a story</span></button></li>
    ${authors.map(item)}</ul>
    ${open && html`<${Viewer} quiet stories=${stories} order=${open.order} at=${open.at} onClose=${() => setOpen(null)} />`}
    ${file && html`<${Share} quiet file=${file} onShared=${stories.add} onClose=${() => setFile(null)} />`}`;
}
