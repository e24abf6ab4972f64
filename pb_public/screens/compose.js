// Posting: choose photos, cut and describe them, say something. All of it is a draft until it is posted or given up.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb } from '../lib/api.js';
import { cut } from '../lib/crop.js';
import { newId } from '../lib/outbox.js';
import { upload } from '../lib/upload.js';
import { Crop } from './crop.js';
import { Confirm, Dialog } from './dialog.js';
import { useDraft } from './drafts.js';
import { Audience, Place } from './edit.js';
import { useSession } from './session.js';
import { Sign } from './ui.js';
import { Writing } from './writing.js';

const MOST = 10;
const LARGEST = 50 * 1024 * 1024;
const TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/heic', 'image/heif'];
// without HEIC in accept, phones convert their photos on the way
const ACCEPT = 'image/jpeg,image/png,image/webp,image/gif';

/** A chosen file with its size, as far as this browser can read it; key is the name under which the device keeps it. */
async function looked(file, key = newId()) {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  const seen = await image.decode().then(() => true, () => false);
  return { file, key, url, alt: '', shape: null, readable: seen, width: image.naturalWidth, height: image.naturalHeight };
}

export function Compose({ onClose }) {
  const { user, feed, say, shelf } = useSession();
  const [draft, changeDraft, dropDraft] = useDraft('compose');
  const [files, setFiles] = useState(new Map()); // by key; see looked
  const [chosen, setChosen] = useState(0);
  const { caption = '', place = '', visibility = 'public' } = draft;
  const photos = (draft.photos ?? []).filter(({ key }) => files.has(key)).map((one) => ({ ...files.get(one.key), ...one }));
  const [asking, setAsking] = useState(false);
  const [sent, setSent] = useState(null); // the share of the upload that has left, or null
  const [problem, setProblem] = useState('');
  const [over, setOver] = useState(false);
  const input = useRef(null);
  const urls = useRef([]);
  const stop = useRef(null);
  const busy = sent !== null;
  useEffect(() => () => {
    urls.current.forEach((url) => URL.revokeObjectURL(url));
    stop.current?.abort();
  }, []);

  const shelfKey = (key) => `draft-photo/${key}`;
  function keep(added) {
    urls.current.push(...added.map((one) => one.url));
    setFiles((now) => new Map([...now, ...added.map((one) => [one.key, one])]));
  }
  const setPhotos = (change) => changeDraft((now) => ({ photos: change(now.photos ?? []) })); // each as {key, alt, shape}
  // what an earlier visit left
  useEffect(() => {
    const missing = (draft.photos ?? []).filter(({ key }) => !files.has(key));
    if (!missing.length) return;
    Promise.all(missing.map(async ({ key }) => {
      const file = await shelf.get(shelfKey(key)).catch(() => null);
      return file && looked(file, key);
    })).then((found) => {
      const there = found.filter(Boolean);
      keep(there);
      const lost = missing.filter(({ key }) => !there.some((one) => one.key === key)); // as on a full device
      if (lost.length) setPhotos((all) => all.filter((one) => !lost.includes(one)));
    });
  }, [draft.photos?.length]);
  function giveUp() {
    for (const { key } of draft.photos ?? []) shelf.drop(shelfKey(key)).catch(() => {});
    dropDraft();
    setChosen(0);
    setProblem('');
  }
  function leave() {
    if (photos.length || caption.trim() || place.trim()) say('Your draft is kept.');
    onClose(false);
  }

  async function choose(files) {
    const all = [...files];
    const fit = all.filter((file) => TYPES.includes(file.type) && file.size <= LARGEST);
    const room = MOST - photos.length;
    const unfit = all.find((file) => !fit.includes(file));
    setProblem(unfit ? `${unfit.name}: ${TYPES.includes(unfit.type) ? 'a photo has at most 50 MB.' : 'photos are JPEG, PNG, WebP, GIF or HEIC files.'}`
      : fit.length > room ? `A post holds at most ${MOST} photos; ${fit[Math.max(0, room)].name} and what follows is left out.` : '');
    input.current.value = ''; // the same file may be chosen again after it was taken out
    const added = await Promise.all(fit.slice(0, room).map((file) => looked(file)));
    for (const { key, file } of added) shelf.put(shelfKey(key), file).catch(() => {}); // a full device keeps it for as long as the page is open
    keep(added);
    setPhotos((now) => [...now, ...added.map(({ key, alt, shape }) => ({ key, alt, shape }))].slice(0, MOST));
    if (!photos.length) setChosen(0);
  }

  const change = (index, what) => setPhotos((all) => all.map((one, i) => (i === index ? { ...one, ...what } : one)));
  function take(index) {
    shelf.drop(shelfKey(photos[index].key)).catch(() => {});
    setPhotos((all) => all.filter((_, i) => i !== index));
    setChosen((now) => Math.max(0, Math.min(now > index ? now - 1 : now, photos.length - 2)));
  }
  function move(index, by) {
    setPhotos((all) => {
      const moved = [...all];
      moved.splice(index + by, 0, ...moved.splice(index, 1));
      return moved;
    });
    setChosen(index + by);
  }

  async function submit(event) {
    event.preventDefault();
    if (!photos.length) return setProblem('Choose a photo first.');
    const body = { caption: caption.trim(), place: place.trim(), visibility, alts: photos.map((one) => one.alt.trim()) };

    // one id for as long as nothing changes: trying again after a lost answer posts once
    const what = JSON.stringify([body, photos.map((one) => [one.key, one.shape])]);
    const attempt = draft.attempt?.body === what ? draft.attempt : { body: what, id: newId() };
    changeDraft({ attempt });

    setSent(0);
    setProblem('');
    stop.current = new AbortController();
    try {
      const form = new FormData();
      form.set('id', attempt.id);
      form.set('caption', body.caption);
      form.set('place', body.place);
      form.set('visibility', visibility);
      form.set('alts', JSON.stringify(body.alts));
      for (const one of photos) form.append('photos', one.shape ? await cut(one.file, one.shape) : one.file);
      const post = await upload(pb, 'posts', form, { expand: 'author', onProgress: setSent, signal: stop.current.signal }).catch((err) => stored(err, attempt.id));
      feed.add({ ...post, expand: { author: user, ...post.expand } });
      giveUp();
      say('Your photo is posted.');
      onClose(true);
    } catch (err) {
      if (!err.isAbort) setProblem(refusedPhoto(err) ?? Object.values(fieldErrors(err))[0] ?? because(err));
      setSent(null);
    }
    return undefined;
  }

  /** Which photo was refused and why; it is shown, too. */
  function refusedPhoto(err) {
    const { index, file } = err.response?.data?.photos?.params ?? {};
    const at = index ?? photos.findIndex((one) => file && one.file.name === file);
    if (!photos[at]) return undefined;
    setChosen(at);
    return html`Photo ${at + 1}, <bdi>${photos[at].file.name}</bdi>: ${fieldErrors(err).photos}`;
  }

  /** An earlier try whose answer was lost may have been stored, also in other bytes: a browser may cut a photo anew in others. */
  async function stored(err, id) {
    if (err.status !== 422 && err.response?.data?.id?.code !== 'validation_not_unique') throw err;
    return pb.collection('posts').getOne(id, { expand: 'author', requestKey: null });
  }

  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    choose(event.dataTransfer.files);
  };
  const hover = (event) => {
    event.preventDefault();
    setOver(true);
  };

  const photo = photos[chosen];
  const percent = Math.round((sent ?? 0) * 100);
  return html`<${Dialog} name="compose" title="Post a photo" onClose=${leave} busy=${busy}>
    <form class="compose" onSubmit=${submit} onDragOver=${hover} onDragLeave=${() => setOver(false)} onDrop=${drop}>
      ${photo && html`<div class="editing">
        ${photo.readable ? html`<${Crop} key=${photo.url} photo=${photo} index=${chosen} disabled=${busy} onShape=${(shape) => change(chosen, { shape })} />`
          : html`<p class="crop-none">This browser cannot show the photo; it can still be posted.</p>`}
        <div class="field"><label for="alt">Description${photos.length > 1 ? ` of photo ${chosen + 1}` : ''}</label>
          <textarea id="alt" rows="2" maxlength="1000" dir="auto" placeholder="For people who cannot see it" disabled=${busy}
            value=${photo.alt} onInput=${(event) => change(chosen, { alt: event.target.value })}></textarea></div></div>`}
      <div class=${`picker ${over ? 'is-over' : ''} ${photos.length ? 'is-small' : ''}`}>
        ${photos.length > 0 && html`<ol class="chosen" aria-label="Chosen photos">${photos.map((one, index) => html`<li key=${one.url}>
          <button type="button" class="chosen-photo" aria-pressed=${index === chosen} aria-label=${`Photo ${index + 1} of ${photos.length}${one.alt ? '' : ', not described yet'}`} disabled=${busy} onClick=${() => setChosen(index)}>
            ${one.readable ? html`<img src=${one.url} alt="" />` : html`<${Sign} name="photos" />`}</button></li>`)}</ol>`}
        <input ref=${input} class="visually-hidden" type="file" id="photos" accept=${ACCEPT} multiple disabled=${busy || photos.length >= MOST}
          aria-describedby="photos-hint" onChange=${(event) => choose(event.target.files)} />
        <label for="photos"><${Sign} name="plus" /><b>${photos.length ? 'Add' : 'Choose photos'}</b>
          <span id="photos-hint" class=${photos.length ? 'visually-hidden' : ''}>${photos.length ? `${photos.length} of ${MOST}` : `or drop them here, up to ${MOST}`}</span></label>
      </div>
      ${photo && html`<p class="chosen-tools">
        ${photos.length > 1 && html`<button type="button" class="link link-quiet" disabled=${busy || chosen === 0} onClick=${() => move(chosen, -1)}>Move earlier</button>
          <button type="button" class="link link-quiet" disabled=${busy || chosen === photos.length - 1} onClick=${() => move(chosen, 1)}>Move later</button>`}
        <button type="button" class="link link-quiet" disabled=${busy} onClick=${() => take(chosen)}>Take out photo ${chosen + 1}</button></p>`}
      <${Writing} id="caption" label="Caption" rows="3" most="2200" disabled=${busy} value=${caption} onInput=${(caption) => changeDraft({ caption })} hint="@ names people, # makes hashtags." />
      <${Place} value=${place} disabled=${busy} onInput=${(place) => changeDraft({ place })} />
      <${Audience} value=${visibility} disabled=${busy} onChange=${(visibility) => changeDraft({ visibility })} />
      ${(photos.length > 0 || caption || place) && !busy && html`<p class="kept"><button type="button" class="link link-quiet" onClick=${() => setAsking(true)}>Discard this draft</button></p>`}
      <div class="compose-end">
        ${busy ? html`<div class="progress"><progress max="1" value=${sent} aria-label="Upload">${percent} %</progress><span aria-hidden="true">${percent < 100 ? `${percent} %` : 'Storing…'}</span></div>
          <button key="cancel" type="button" class="button" onClick=${() => stop.current.abort()}>Cancel</button>`
          : html`<p class=${problem ? 'notice' : ''} role="alert">${problem}</p><button key="post" class="button button-main">Post</button>`}</div>
    </form>
    ${asking && html`<${Confirm} title="Discard this draft?" action="Discard" onDo=${giveUp} onClose=${() => setAsking(false)}>The photos and words that you chose here are forgotten. The files on your device stay.<//>`}
  <//>`;
}
