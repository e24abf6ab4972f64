// People as the screens show them: faces, names, and the names in what they write.

import { html, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { handleOf, namesIn } from '../lib/words.js';
import { paths } from './router.js';

export { handleOf };

export function Avatar({ user, large = false }) {
  const name = handleOf(user);
  const [broken, setBroken] = useState('');
  const size = large ? ' avatar-large' : '';
  if (user?.avatar && broken !== user.avatar) {
    const src = pb.files.getURL(user, user.avatar, { thumb: large ? '320x320' : '100x100' });
    return html`<img class=${'avatar' + size} src=${src} alt="" width="40" height="40" onError=${() => setBroken(user.avatar)} />`;
  }
  const shade = [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 5;
  return html`<span class=${`avatar avatar-${shade}${size}`} aria-hidden="true">${[...name][0]?.toUpperCase()}</span>`;
}

/** A face that leads to its profile, beside the name that does so for the keyboard and for whoever hears the page. */
export const Face = ({ user }) => (user?.handle
  ? html`<a class="face" href=${paths.person(user)} tabindex="-1" aria-hidden="true"><${Avatar} user=${user} /></a>` : html`<${Avatar} user=${user} />`);

/** A handle that leads to its profile. */
export const Handle = ({ user }) => (user?.handle
  ? html`<a class="handle" href=${paths.person(user)}><bdi>${user.handle}</bdi></a>`
  : html`<span class="handle"><bdi>${handleOf(user)}</bdi></span>`);

/** What somebody wrote, with the names in it as links. */
export const Words = ({ text }) => namesIn(text).map((part) => (part.handle
  ? html`<a class="name" href=${paths.person(part.handle)}>${part.text}</a>`
  : part.tag ? html`<a class="name" href=${paths.tag(part.tag)}>${part.text}</a>` : part.text));
