// Posting: choose photos, describe them, say something.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, newId, pb } from '../lib/api.js';
import { Dialog, Sign, useSession } from './ui.js';

const MOST = 10;
const LARGEST = 50 * 1024 * 1024;
const TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/heic', 'image/heif'];
// without HEIC in accept, phones convert their photos on the way
const ACCEPT = 'image/jpeg,image/png,image/webp,image/gif';

export function Compose({ onClose }) {
  const { user, feed, say } = useSession();
  const [photos, setPhotos] = useState([]); // {file, url, alt, broken}
  const [caption, setCaption] = useState('');
  const [visibility, setVisibility] = useState('public');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const [over, setOver] = useState(false);
  const input = useRef(null);
  const attempt = useRef({ body: '', id: '' });
  const urls = useRef([]);
  useEffect(() => () => urls.current.forEach((url) => URL.revokeObjectURL(url)), []);

  function choose(files) {
    const all = [...files];
    const fit = all.filter((file) => TYPES.includes(file.type) && file.size <= LARGEST);
    const room = MOST - photos.length;
    setProblem(
      fit.length < all.length ? 'Photos are JPEG, PNG, WebP, GIF or HEIC files of at most 50 MB.' : fit.length > room ? `A post holds at most ${MOST} photos.` : '');
    const added = fit.slice(0, room).map((file) => ({ file, url: URL.createObjectURL(file), alt: '' }));
    urls.current.push(...added.map((one) => one.url));
    setPhotos([...photos, ...added]);
    input.current.value = ''; // the same file may be chosen again after it was taken out
  }

  const change = (index, what) => setPhotos((all) => all.map((one, i) => (i === index ? { ...one, ...what } : one)));

  async function submit(event) {
    event.preventDefault();
    if (!photos.length) return setProblem('Choose a photo first.');
    const body = { caption: caption.trim(), visibility, alts: photos.map((one) => one.alt.trim()) };

    // one id for as long as nothing changes: trying again after a lost answer posts once
    const what = JSON.stringify([body, photos.map((one) => one.url)]);
    if (attempt.current.body !== what) attempt.current = { body: what, id: newId() };

    const form = new FormData();
    form.set('id', attempt.current.id);
    form.set('caption', body.caption);
    form.set('visibility', visibility);
    form.set('alts', JSON.stringify(body.alts));
    photos.forEach((one) => form.append('photos', one.file));

    setBusy(true);
    setProblem('');
    try {
      const post = await pb.collection('posts').create(form, { expand: 'author', requestKey: null });
      feed.add({ ...post, expand: { author: user, ...post.expand } });
      say('Your photo is posted.');
      onClose(true);
    } catch (err) {
      setProblem(Object.values(fieldErrors(err))[0] ?? because(err));
      setBusy(false);
    }
    return undefined;
  }

  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    choose(event.dataTransfer.files);
  };

  return html`<${Dialog} name="compose" title="Post a photo" onClose=${() => onClose(false)} busy=${busy}>
    <form class="compose" onSubmit=${submit}>
      <div class=${`picker ${over ? 'is-over' : ''} ${photos.length ? 'is-small' : ''}`} onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
        <input ref=${input} class="visually-hidden" type="file" id="photos" accept=${ACCEPT} multiple disabled=${busy || photos.length >= MOST}
          aria-describedby="photos-hint" onChange=${(event) => choose(event.target.files)} />
        <label for="photos"><${Sign} name="plus" /><b>${photos.length ? 'Add another photo' : 'Choose photos'}</b>
          <span id="photos-hint">${photos.length ? `${photos.length} of ${MOST}` : `or drop them here, up to ${MOST}`}</span></label>
      </div>
      ${photos.length > 0 && html`<ol class="chosen">${photos.map((one, index) => html`<li key=${one.url}>
        ${one.broken ? html`<span class="chosen-none">No preview</span>` : html`<img src=${one.url} alt="" onError=${() => change(index, { broken: true })} />`}
        <div class="field"><label for=${'alt-' + index}>Description${photos.length > 1 ? ` of photo ${index + 1}` : ''}</label>
          <textarea id=${'alt-' + index} rows="2" maxlength="1000" dir="auto" placeholder="For people who cannot see it" disabled=${busy}
            value=${one.alt} onInput=${(event) => change(index, { alt: event.target.value })}></textarea></div>
        <button type="button" class="icon-button" aria-label=${`Take out photo ${index + 1}`} disabled=${busy}
          onClick=${() => setPhotos(photos.filter((other) => other !== one))}><${Sign} name="close" /></button></li>`)}</ol>`}
      <div class="field"><label for="caption">Caption</label>
        <textarea id="caption" rows="3" maxlength="2200" dir="auto" disabled=${busy} value=${caption} onInput=${(event) => setCaption(event.target.value)}></textarea></div>
      <div class="field"><label for="visibility">Who can see it</label>
        <select id="visibility" disabled=${busy} value=${visibility} onChange=${(event) => setVisibility(event.target.value)}>
          <option value="public">Everybody</option><option value="followers">My followers</option><option value="private">Only me</option></select></div>
      <div class="compose-end"><p class=${problem ? 'notice' : ''} role="alert">${problem}</p>
        <button class="button button-main" disabled=${busy} aria-busy=${busy}>${busy ? 'Posting…' : 'Post'}</button></div>
    </form>
  <//>`;
}
