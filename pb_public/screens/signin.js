// The door: sign in by password, code or another service, with as many proofs as the server asks for; or make an account.

import { html, useEffect, useLayoutEffect, useState } from '../vendor/preact.js';
import { endedWell, fieldErrors, lastWords, pb, signUp } from '../lib/api.js';
import { Door, DoorForm, Email, Field, Password } from './door.js';

const users = () => pb.collection('users');
const handleShape = /^[a-z0-9_]+(\.[a-z0-9_]+)*$/;
const lead = 'Photos from people you know. Tap twice when one stays with you.';

/** What can be said of a new account without asking the server. */
function check({ handle, password }) {
  const found = {};
  if (handle.length < 3 || handle.length > 30) found.handle = 'A handle has 3 to 30 characters.';
  else if (!handleShape.test(handle)) found.handle = 'Use the letters a–z, digits, _ and single dots inside.';
  if (password.length < 8) found.password = 'Use at least 8 characters.';
  return found;
}

const closed = (err) => (err.status === 403 ? 'This account is suspended or closed.' : null);

export function SignIn() {
  const [step, setStep] = useState('password');
  const [methods, setMethods] = useState({});
  const [proof, setProof] = useState(''); // the id of a sign-in that wants a second proof
  const [who, setWho] = useState(''); // the identity that was given
  const [code, setCode] = useState(null); // that was mailed: {email, otpId}
  const [provider, setProvider] = useState('');
  const [words, setWords] = useState(lastWords());

  // the reason may come a moment after the session has ended
  useLayoutEffect(() => pb.authStore.onChange(() => setWords(lastWords())), []);
  useEffect(() => void users().listAuthMethods({ requestKey: null }).then(setMethods, () => {}), []); // the password does without
  const codes = methods.otp?.enabled;
  const providers = methods.oauth2?.enabled ? methods.oauth2.providers : [];

  function turn(to) {
    setStep(to);
    setWords('');
  }

  /** Gives a proof with what it takes to go on from the one before; app.js hears of the session. after is what the next proof may be. */
  async function prove(give, after) {
    setWords('');
    try {
      await give(proof ? { mfaId: proof } : {});
    } catch (err) {
      if (err.status !== 401 || !err.response?.mfaId) throw err;
      setProof(err.response.mfaId);
      setStep(after);
    }
  }

  const second = codes ? 'mail' : 'other';
  const byPassword = ({ identity, password }) => {
    const name = identity.trim().replace(/^@/, '');
    setWho(name);
    return prove((more) => users().authWithPassword(name, password, more), second);
  };
  const byCode = ({ code: typed }) => prove((more) => users().authWithOTP(code.otpId, typed.trim(), more), 'password');
  const mailCode = async ({ email }) => {
    const { otpId } = await users().requestOTP(email.trim(), { requestKey: null });
    setCode({ email: email.trim(), otpId });
    turn('code');
  };
  const byProvider = (name, createData) => prove((more) => users().authWithOAuth2({ provider: name, createData, query: more }), second === 'mail' ? 'mail' : 'password');
  const make = ({ handle: typed, email, password }) => {
    const handle = typed.trim().replace(/^@/, '').toLowerCase();
    const found = check({ handle, password });
    if (Object.keys(found).length) throw Object.assign(new Error('not yet'), { found });
    setWho(email.trim());
    return prove(() => signUp({ handle, email: email.trim(), password }), second);
  };
  async function tap(name) {
    try {
      await byProvider(name);
    } catch (err) {
      if (err.isAbort) return;
      if (fieldErrors(err).email) {
        setProvider(name);
        turn('address');
      } else setWords(closed(err) ?? 'That did not go through. Try again, or sign in another way.');
    }
  }

  const good = words === lastWords() && endedWell();
  const message = words && html`<p class=${good ? 'notice is-good' : 'notice'} role=${good ? 'status' : 'alert'}>${words}</p>`;
  const others = providers.length > 0 && html`<div class="door-others">${providers.map(({ name, displayName }) => html`<button type="button" class="button button-wide" key=${name} onClick=${() => tap(name)}>Continue with ${displayName || name}</button>`)}</div>`;
  const toStart = html`<p class="door-turn"><button type="button" class="link" onClick=${() => { setProof(''); turn('password'); }}>Back to sign-in</button></p>`;

  if (step === 'new') {
    return html`<${Door} key="new" title="Make yourself at home" lead=${lead}>${message}
      <${DoorForm} action="Create account" send=${make} refused=${(err) => err.found ?? closed(err)} novalidate>${({ handle, email, password }) => html`
        <${Field} name="handle" label="Handle" hint="How people find you. Small letters, digits, dots and _." error=${handle}>
          ${(field) => html`<input ...${field} type="text" autocomplete="nickname" autocapitalize="none" spellcheck=${false} maxlength="31" dir="ltr" />`}<//>
        <${Email} error=${email} />
        <${Password} fresh error=${password} />`}<//>
      ${others}
      <p class="door-turn">Here before? <button type="button" class="link" onClick=${() => turn('password')}>Sign in</button></p><//>`;
  }
  if (step === 'mail') {
    return html`<${Door} key="mail" title=${proof ? 'One more step' : 'A code by mail'} lead="Tell us the address of your account, and we mail you a code to sign in with.">${message}
      <${DoorForm} action="Mail me a code" send=${mailCode}>${({ email }) => html`<${Email} error=${email} value=${who.includes('@') ? who : ''} />`}<//>
      ${proof && others}${toStart}<//>`;
  }
  if (step === 'code') {
    return html`<${Door} key="code" title="Look into your mail" lead=${html`If there is an account with <bdi class="address">${code.email}</bdi>, a code is on its way there.`}>${message}
      <${DoorForm} action="Sign in" send=${byCode} refused=${(err) => closed(err) ?? (err.status === 400 ? { code: 'This is not the code, or it is too old.' } : null)}>${({ code: wrong }) => html`
        <${Field} name="code" label="Code" error=${wrong}>${(field) => html`<input ...${field} type="text" inputmode="numeric" autocomplete="one-time-code" dir="ltr" />`}<//>`}<//>
      <p class="door-turn"><button type="button" class="link" onClick=${() => turn('mail')}>Mail another code</button></p>${toStart}<//>`;
  }
  if (step === 'address') {
    return html`<${Door} key="address" title="Your mail address" lead="They did not tell us a confirmed one, and an account needs it. We mail you a link to confirm it.">${message}
      <${DoorForm} action="Go on" send=${({ email }) => byProvider(provider, { email: email.trim() })} refused=${closed}>${({ email }) => html`<${Email} error=${email} />`}<//>${toStart}<//>`;
  }
  if (step === 'other') return html`<${Door} key="other" title="One more step" lead="Your password is right. Confirm in a second way that it is you.">${message}${others}${toStart}<//>`;
  return html`<${Door} key=${'password' + proof} title=${proof ? 'One more step' : 'Welcome back'} lead=${proof ? 'Confirm with your password that it is you.' : lead}>${message}
    <${DoorForm} action="Sign in" send=${byPassword} refused=${(err) => closed(err) ?? (err.status === 400 ? 'This handle or e-mail and password do not belong together.' : null)}>${() => html`
      <${Field} name="identity" label="Handle or e-mail">
        ${(field) => html`<input ...${field} type="text" autocomplete="username" autocapitalize="none" spellcheck=${false} dir="ltr" defaultValue=${code?.email} />`}<//>
      <${Password} />`}<//>
    <p class="door-forgot"><a class="link link-quiet" href="#/forgot">Forgot your password?</a>
      ${codes && !proof && html`<button type="button" class="link link-quiet" onClick=${() => turn('mail')}>Sign in with a code by mail</button>`}</p>
    ${!proof && others}
    ${proof ? toStart : html`<p class="door-turn">New here? <button type="button" class="link" onClick=${() => turn('new')}>Create an account</button></p>`}<//>`;
}
