// Where the links of our mails lead: confirm an address, set a new password, change the address. Each asks for a tap, as some
// programs open every link of a mail, and says in words why a link does not work.

import { html, useState } from '../vendor/preact.js';
import { checkSession, me, pb, signOut } from '../lib/api.js';
import { getTokenPayload, isTokenExpired } from '../vendor/pocketbase.js';
import { Door, DoorForm, Password } from './door.js';

const users = () => pb.collection('users');
const quiet = { requestKey: null };

const pages = {
  verify: {
    type: 'verification', title: 'Confirm your address', action: 'Confirm this address',
    lead: ({ email }) => html`Is <bdi class="address">${email}</bdi> yours, and the account too?`,
    fields: () => null,
    send: ({ token }) => users().confirmVerification(token, quiet),
    done: { title: 'Your address is confirmed', lead: 'Thank you. Mail for your account comes there from now on.' },
    another: (email) => users().requestVerification(email, quiet),
  },
  reset: {
    type: 'passwordReset', title: 'Set a new password', action: 'Set password', ends: true,
    lead: ({ email }) => html`For the account with the address <bdi class="address">${email}</bdi>.`,
    fields: ({ password }) => html`<${Password} label="New password" fresh error=${password} />`,
    send: ({ token, password }) => users().confirmPasswordReset(token, password, password, quiet),
    done: { title: 'Your new password is set', lead: 'Every device was signed out. Sign in with the new password.' },
    another: (email) => users().requestPasswordReset(email, quiet),
  },
  change: {
    type: 'emailChange', title: 'Confirm your new address', action: 'Use this address', ends: true,
    lead: ({ newEmail }) => html`Your account has the address <bdi class="address">${newEmail}</bdi> from then on. Your password confirms that it is you.`,
    fields: ({ password }) => html`<${Password} error=${password} /><p class="hint">You never had one? <a class="link" href="#/forgot">Set a password</a> first.</p>`,
    send: ({ token, password }) => users().confirmEmailChange(token, password, quiet),
    done: { title: 'Your address is changed', lead: 'Every device was signed out. Sign in with the new address or your handle.' },
  },
};

/** Why the link does not work, as far as it says so itself. */
function broken(token, claims, type) {
  if (claims.type !== type || !claims.id) return ['This link is not whole', 'Some mail programs break long links in two. Copy all of it from the mail into the address bar.'];
  if (isTokenExpired(token)) return ['This link has expired', 'Links like this one are good for a short time only.'];
  return null;
}
const used = ['This link was used already', 'Or your password, your address or a newer link has taken its place. A link works once.'];

export function Confirm({ what, token }) {
  const page = pages[what];
  const claims = getTokenPayload(token);
  const [state, setState] = useState('');
  const wrong = state === 'used' ? used : broken(token, claims, page.type);

  async function send({ password }) {
    await page.send({ token, password });
    setState('done');
    if (page.ends && me()?.id === claims.id) signOut();
    else if (me()) checkSession(); // the app hears that the address is confirmed
  }
  function refused(err) {
    const { token: ofToken, password } = err.response?.data ?? {};
    if (err.status === 400 && (ofToken || !password)) {
      setState('used');
      return '';
    }
    if (password && what === 'change') return { password: 'This is not the password of the account.' };
    return null;
  }
  async function another() {
    await page.another(claims.email);
    setState('sent');
  }
  const signed = me();
  const on = html`<p class="door-turn"><a class="button" href="/">${signed ? 'To your photos' : 'To sign-in'}</a></p>`;

  if (state === 'done') return html`<${Door} ...${page.done}><p class="door-turn"><a class="button button-main button-wide" href="/">${signed ? 'To your photos' : 'Sign in'}</a></p><//>`;
  if (state === 'sent') return html`<${Door} title="Look into your mail" lead=${html`If <bdi class="address">${claims.email}</bdi> still needs one, a new link is on its way there.`}>${on}<//>`;
  if (wrong) {
    const [title, lead] = wrong;
    return html`<${Door} title=${title} lead=${lead}>
      ${page.another && claims.email ? html`<${DoorForm} action="Mail me a new link" send=${another}>${() => null}<//>` : what === 'change' && html`<p>Ask for the change again in your settings.</p>`}${on}<//>`;
  }
  return html`<${Door} title=${page.title} lead=${page.lead(claims)}>
    <${DoorForm} action=${page.action} send=${send} refused=${refused}>${page.fields}<//>${on}<//>`;
}
