// Telling a moderator.

import { html, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { Dialog } from './dialog.js';
import { useDraft } from './drafts.js';
import { useSession } from './session.js';

export const reasons = {
  spam: 'It is spam', abuse: 'It bullies or threatens somebody', hate: 'It is hateful', nudity: 'It is sexual or shows nudity', violence: 'It shows violence', other: 'Something else',
};

/** target is {user}, {post} or {comment}. */
export function Report({ target, what, onClose }) {
  const { say } = useSession();
  const [{ reason = '', note = '' }, change, drop] = useDraft(`report/${Object.values(target)[0]}`);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function submit(event) {
    event.preventDefault();
    if (!reason) return setProblem('Choose what is wrong.');
    setBusy(true);
    try {
      await pb.collection('reports').create({ ...target, reason, note: note.trim() }, { requestKey: null });
      drop();
      say('Thank you. A moderator will look at it.');
      onClose();
    } catch (err) {
      setProblem(because(err));
      setBusy(false);
    }
    return undefined;
  }

  return html`<${Dialog} name="small" title=${`Report ${what}`} onClose=${onClose} busy=${busy}>
    <form class="sheet" onSubmit=${submit}>
      <fieldset class="choices"><legend>What is wrong?</legend>${Object.entries(reasons).map(([name, word]) => html`<label class="choice" key=${name}>
        <input type="radio" name="reason" value=${name} checked=${reason === name} onChange=${() => change({ reason: name })} />${word}</label>`)}</fieldset>
      <div class="field"><label for="note">Anything else (optional)</label>
        <textarea id="note" rows="3" maxlength="2000" dir="auto" value=${note} onInput=${(event) => change({ note: event.target.value })}></textarea></div>
      ${problem && html`<p class="notice" role="alert">${problem}</p>`}
      <p class="sheet-end"><button type="button" class="button" disabled=${busy} onClick=${onClose}>Cancel</button>
        <button class="button button-danger" disabled=${busy}>Report</button></p></form><//>`;
}
