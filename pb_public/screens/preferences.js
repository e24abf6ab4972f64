// What one is told, how and when; and the controls that settings are made of.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb } from '../lib/api.js';
import { openCursor } from '../lib/cursor.js';
import { useList } from './grid.js';
import { useSession } from './session.js';

/** Changes that are stored as they are made, one after the other; what the server refuses is put back and said. */
export function useSaving(stored, save) {
  const { say } = useSession();
  const [mine, setMine] = useState({}); // what was changed here
  const waiting = useRef({}); // what of it is not stored yet, which stays whatever else arrives
  const last = useRef(Promise.resolve());
  useEffect(() => setMine(waiting.current), [stored]);
  const without = (all, what) => Object.fromEntries(Object.entries(all).filter(([name, value]) => what[name] !== value)); // but for what was changed again
  function change(what) {
    setMine((now) => ({ ...now, ...what }));
    waiting.current = { ...waiting.current, ...what };
    last.current = last.current.then(() => save(what)).catch((err) => {
      setMine((now) => without(now, what));
      say(`That was not saved. ${Object.values(fieldErrors(err))[0] ?? because(err)}`);
    }).finally(() => (waiting.current = without(waiting.current, what)));
  }
  return [{ ...stored, ...mine }, change];
}

/** A time of day; half of one stays while it is typed. */
function Time({ id, label, value, onChoose }) {
  const [typed, setTyped] = useState(null);
  return html`<div class="field"><label for=${id}>${label}</label><input id=${id} type="time" required value=${typed ?? value} onBlur=${() => setTyped(null)}
    onInput=${(event) => { setTyped(event.target.value); if (event.target.value) onChoose(event.target.value); }} /></div>`;
}

export const Switch = ({ label, hint, on, onTurn }) => html`<label class="switch"><input type="checkbox" role="switch" checked=${on} onChange=${(event) => onTurn(event.target.checked)} />
  <span>${label}${hint && html`<small class="hint">${hint}</small>`}</span></label>`;

const Choice = ({ id, label, value, options, onChoose }) => html`<div class="field field-row"><label for=${id}>${label}</label>
  <select id=${id} value=${value} onChange=${(event) => onChoose(event.target.value)}>${options.map(([name, word]) => html`<option key=${name} value=${name}>${word}</option>`)}</select></div>`;

/** The devices that take push messages, one list for all of this place. */
export const useDevices = () => useList('devices', () => openCursor(pb, 'devices', { perPage: 50 }));

const kinds = {
  like: 'Likes', comment: 'Comments', reply: 'Replies', comment_like: 'Likes of your comments', mention: 'Mentions', follow: 'New followers', follow_request: 'Follow requests', follow_accepted: 'Accepted requests', post: 'Posts of people whose bell is on',
};
const mails = [['off', 'Never'], ['digest', 'In the digest'], ['now', 'At once']];

/** One type of notification on every channel; what is not stored is on. */
function Kind({ type, preference, digest, mailable, devices, onChange }) {
  const { list = true, live = true, push = true, mail = 'digest', from = 'all' } = preference;
  const turn = (what) => onChange({ ...preference, ...what });
  const ways = [list && 'in the list', list && live && 'live', push && devices > 0 && 'push', mailable && (mail === 'now' || (mail === 'digest' && digest)) && 'e-mail'].filter(Boolean).join(', ') || 'off';
  return html`<details class="fold"><summary>${kinds[type]} <span class="soft">${ways}${from === 'follows' ? '; people you follow' : ''}</span></summary>
    <div class="fold-body">
      <${Switch} label="In the list" on=${list} onTurn=${(on) => turn({ list: on })} />
      <${Switch} label="A message while you are here" on=${live} onTurn=${(on) => turn({ live: on })} />
      <${Switch} label="Push to your devices" hint=${push && !devices ? 'No device takes push yet; see Devices below.' : ''} on=${push} onTurn=${(on) => turn({ push: on })} />
      <${Choice} id=${`mail-${type}`} label="E-mail" value=${mail} options=${mails} onChoose=${(mail) => turn({ mail })} />
      ${mail === 'digest' && !digest && html`<p class="hint">The digest is off; switch it on below.</p>`}
      <${Choice} id=${`from-${type}`} label="From" value=${from} options=${[['all', 'Everybody'], ['follows', 'People you follow']]} onChoose=${(from) => turn({ from })} /></div></details>`;
}

export function Notifications({ stored }) {
  const { user } = useSession();
  const devices = useDevices().get().rows.length;
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [settings, change] = useSaving(stored, (what) => pb.collection('settings').update(stored.id, { ...what, timezone, locale: navigator.language }, { requestKey: null }));
  const notify = settings.notify ?? {};
  const { quietFrom, quietTo } = settings;
  const night = Boolean(quietFrom && quietTo);
  const mailable = user.verified && !settings.bounced;
  return html`
    <div class="folds">${Object.keys(kinds).map((type) => html`<${Kind} key=${type} type=${type} preference=${notify[type] ?? {}} digest=${(settings.digest || 'off') !== 'off'} mailable=${mailable} devices=${devices} onChange=${(preference) => change({ notify: { ...notify, [type]: preference } })} />`)}</div>
    ${!mailable && html`<p class="hint">${user.verified ? 'Mail to your address came back, so none is sent.' : 'No e-mail is sent until your address is verified.'}</p>`}
    <${Choice} id="digest" label="E-mail digest" value=${settings.digest || 'off'} options=${[['off', 'Off'], ['hourly', 'Every hour'], ['daily', 'Every day']]} onChoose=${(digest) => change({ digest })} />
    <${Switch} label="Quiet hours" hint="No push and no e-mail in this time; the list fills all the same." on=${night} onTurn=${(on) => change(on ? { quietFrom: '22:00', quietTo: '07:00' } : { quietFrom: '', quietTo: '' })} />
    ${night && html`<div class="times"><${Time} id="quiet-from" label="From" value=${quietFrom} onChoose=${(quietFrom) => change({ quietFrom })} />
      <${Time} id="quiet-to" label="To" value=${quietTo} onChoose=${(quietTo) => change({ quietTo })} />
      <p class="hint">${timezone.replaceAll('_', ' ')}</p></div>`}`;
}
