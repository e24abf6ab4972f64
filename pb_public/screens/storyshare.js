// Sharing a photo for a day.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb } from '../lib/api.js';
import { newId } from '../lib/outbox.js';
import { upload } from '../lib/upload.js';
import { Dialog } from './dialog.js';
import { useSession } from './session.js';

export function ShareStory({ file, onShared, onClose }) {
  const { user, say } = useSession();
  const [url] = useState(() => URL.createObjectURL(file));
  const [visibility, setVisibility] = useState('public');
  const [sent, setSent] = useState(null);
  const [problem, setProblem] = useState('');
  const stop = useRef(null);
  const keys = useRef({}); // by visibility: trying again after a lost answer shares once
  useEffect(() => () => {
    stop.current?.abort();
    URL.revokeObjectURL(url);
  }, []);

  async function submit(event) {
    event.preventDefault();
    setSent(0);
    setProblem('');
    stop.current = new AbortController();
    const form = new FormData();
    form.set('visibility', visibility);
    form.set('photo', file);
    try {
      const story = await upload(pb, 'stories', form, { expand: 'author', key: (keys.current[visibility] ??= newId()), onProgress: setSent, signal: stop.current.signal });
      onShared({ ...story, expand: { author: user, ...story.expand } });
      say('Your story is there for a day.');
      onClose();
    } catch (err) {
      if (!err.isAbort) setProblem(fieldErrors(err).photo ?? because(err));
      setSent(null);
    }
  }
  const busy = sent !== null;
  const percent = Math.round((sent ?? 0) * 100);
  return html`<${Dialog} name="compose" title="Share a story" onClose=${onClose} busy=${busy}><form class="compose" onSubmit=${submit}>
    <img class="story-preview" src=${url} alt="Your photo" />
    <div class="field"><label for="story-visibility">Who can see it</label><select id="story-visibility" disabled=${busy} value=${visibility} onChange=${(event) => setVisibility(event.target.value)}>
      <option value="public">Everybody</option><option value="followers">My followers</option></select></div>
    <div class="compose-end">${busy ? html`<div class="progress"><progress max="1" value=${sent} aria-label="Upload">${percent} %</progress><span aria-hidden="true">${percent < 100 ? `${percent} %` : 'Storing…'}</span></div>
        <button key="cancel" type="button" class="button" onClick=${() => stop.current.abort()}>Cancel</button>`
      : html`<p class=${problem ? 'notice' : 'hint'} role="alert">${problem || 'It is gone after 24 hours.'}</p><button key="share" class="button button-main">Share</button>`}</div>
  </form><//>`;
}
