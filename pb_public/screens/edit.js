// Changing a post: its words, its place, its descriptions and who sees it. The photos stay.

import { html, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb } from '../lib/api.js';
import { Dialog } from './dialog.js';
import { useDraft } from './drafts.js';
import { Picture } from './photos.js';
import { useSession } from './session.js';
import { Writing } from './writing.js';

export const Audience = ({ value, disabled, onChange }) => html`<div class="field"><label for="visibility">Who can see it</label>
  <select id="visibility" disabled=${disabled} value=${value} onChange=${(event) => onChange(event.target.value)}>
    <option value="public">Everybody</option><option value="followers">My followers</option><option value="private">Only me</option></select></div>`;

export const Place = ({ value, disabled, onInput }) => html`<div class="field"><label for="place">Place (optional)</label>
  <input id="place" maxlength="120" dir="auto" autocomplete="off" disabled=${disabled} value=${value} onInput=${(event) => onInput(event.target.value)} /></div>`;

export function EditPost({ post, onHeard, onClose }) {
  const { say } = useSession();
  const [draft, change, drop] = useDraft(`edit/${post.id}`);
  const { caption = post.caption ?? '', place = post.place ?? '', visibility = post.visibility, commentsOff = post.commentsOff } = draft;
  const alts = post.photos.map((_, index) => (draft.alts ?? post.alts)?.[index] ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    try {
      onHeard(await pb.collection('posts').update(post.id, { caption: caption.trim(), place: place.trim(), alts, visibility, commentsOff }, { expand: 'author', requestKey: null }));
      drop();
      say('Your post is changed.');
      onClose();
    } catch (err) {
      setProblem(Object.values(fieldErrors(err))[0] ?? because(err));
      setBusy(false);
    }
  }

  return html`<${Dialog} name="compose" title="Edit post" onClose=${onClose} busy=${busy}><form class="compose" onSubmit=${submit}>
    <${Writing} id="edit-caption" label="Caption" rows="4" most="2200" value=${caption} onInput=${(caption) => change({ caption })} disabled=${busy} />
    ${alts.map((alt, index) => html`<div class="described" key=${index}><span class="described-photo"><${Picture} post=${{ ...post, photos: [post.photos[index]], media: [post.media?.[index]] }} square alt="" sizes="88px" /></span>
      <div class="field"><label for=${'edit-alt-' + index}>Description${alts.length > 1 ? ` of photo ${index + 1}` : ' of the photo'}</label>
        <textarea id=${'edit-alt-' + index} rows="2" maxlength="1000" dir="auto" disabled=${busy} value=${alt}
          onInput=${(event) => change({ alts: alts.map((one, i) => (i === index ? event.target.value : one)) })}></textarea></div></div>`)}
    <${Place} value=${place} disabled=${busy} onInput=${(place) => change({ place })} />
    <${Audience} value=${visibility} disabled=${busy} onChange=${(visibility) => change({ visibility })} />
    <label class="switch"><input type="checkbox" checked=${!commentsOff} disabled=${busy} onChange=${(event) => change({ commentsOff: !event.target.checked })} /><span>People can comment</span></label>
    ${Object.keys(draft).length > 0 && !busy && html`<p class="kept"><span class="hint">Not saved yet.</span> <button type="button" class="link link-quiet" onClick=${() => drop()}>Undo my changes</button></p>`}
    <div class="compose-end"><p class=${problem ? 'notice' : ''} role="alert">${problem}</p><button class="button button-main" disabled=${busy} aria-busy=${busy}>Save</button></div>
  </form><//>`;
}
