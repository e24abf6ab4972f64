// Forgot the password: a link by mail. Whether there is an account is told nobody.

import { html, useEffect, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { Door, DoorForm, Email } from './door.js';

export function Forgot() {
  const [sent, setSent] = useState('');
  const [mails, setMails] = useState(true);
  useEffect(() => {
    pb.send('/api/v1/config', { requestKey: null }).then((config) => setMails(config.mail !== false), () => {});
  }, []);
  const back = html`<p class="door-turn"><a class="link" href="#/">Back to sign-in</a></p>`;
  if (!mails) return html`<${Door} title="Forgot your password?" lead="This server sends no mail. Ask whoever runs it for a new password.">${back}<//>`;
  if (sent) {
    return html`<${Door} title="Look into your mail" lead=${html`If there is an account with <bdi class="address">${sent}</bdi>, a link to set a new password is on its way there.`}>
      <p class="hint">It is good for half an hour. Nothing there after a few minutes? Look among the unwanted mail, and check the address.</p>
      <p class="door-turn"><button type="button" class="link" onClick=${() => setSent('')}>Another address</button> <a class="link" href="#/">Back to sign-in</a></p><//>`;
  }
  async function ask({ email }) {
    await pb.collection('users').requestPasswordReset(email.trim(), { requestKey: null });
    setSent(email.trim());
  }
  return html`<${Door} title="Forgot your password?" lead="Tell us your address, and we mail you a link to set a new one.">
    <${DoorForm} action="Mail me a link" send=${ask}>${({ email }) => html`<${Email} error=${email} />`}<//>${back}<//>`;
}
