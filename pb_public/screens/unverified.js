// A calm line for whoever has not confirmed their address yet, where mail can reach them at all.

import { html, useEffect, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { useSession } from './session.js';
import { Sign } from './ui.js';

let put = ''; // away, for this visit, by whom

export function Unverified() {
  const { user, say } = useSession();
  const [mails, setMails] = useState(false);
  const [asked, setAsked] = useState(false);
  const [, draw] = useState(0);
  useEffect(() => void pb.send('/api/v1/config', { requestKey: null }).then(({ mail }) => setMails(mail), () => {}), []);
  async function again() {
    setAsked(true);
    try {
      await pb.collection('users').requestVerification(user.email, { requestKey: null });
    } catch (err) {
      setAsked(false);
      say(because(err));
    }
  }
  function away() {
    put = user.id;
    draw((n) => n + 1);
  }
  if (!mails || put === user.id) return null;
  return html`<aside class="unverified" aria-label="Confirm your address">
    <p>${asked ? html`A link is on its way to <bdi>${user.email}</bdi>. Look among the unwanted mail, too.` : html`Confirm your address: open the link that we mailed to <bdi>${user.email}</bdi>.`}
      ${!asked && html`<button class="link link-quiet" onClick=${again}>Mail it again</button>`}</p>
    <button class="icon-button" aria-label="Not now" onClick=${away}><${Sign} name="close" /></button></aside>`;
}
