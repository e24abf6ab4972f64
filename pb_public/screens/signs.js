// The signs on buttons, and the mark of the product.

import { html } from '../vendor/preact.js';

const heart = 'M12 20.6 4.3 13a5.2 5.2 0 0 1 0-7.4 5.2 5.2 0 0 1 7.4 0l.3.3.3-.3a5.2 5.2 0 0 1 7.4 7.4Z';
const signs = {
  heart: html`<path d=${heart} />`,
  home: html`<path d="M4 11.2 12 4l8 7.2V19a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 19Z" /><path d="M9.5 20.3V15h5v5.3" />`,
  search: html`<circle cx="11" cy="11" r="6.8" /><path d="m16.2 16.2 4.3 4.3" />`,
  people: html`<circle cx="9" cy="8" r="3.6" /><path d="M2.5 20c0-3.8 2.9-6 6.5-6s6.5 2.2 6.5 6" /><path d="M16 4.7a3.6 3.6 0 0 1 0 6.6M18.3 14.6c2 .9 3.2 2.8 3.2 5.4" />`,
  plus: html`<rect x="3.5" y="3.5" width="17" height="17" rx="5" /><path d="M12 8.2v7.6M8.2 12h7.6" />`,
  bell: html`<path d="M18.3 15.8V10.5a6.3 6.3 0 0 0-12.6 0v5.3L4 18.2h16Z" /><path d="M9.8 18.4a2.3 2.3 0 0 0 4.4 0" />`,
  comment: html`<path d="M20.5 11.6c0 4.2-3.8 7.6-8.5 7.6-1.2 0-2.4-.2-3.4-.6L4 20l1.3-3.8a7.2 7.2 0 0 1-1.8-4.6C3.5 7.4 7.3 4 12 4s8.5 3.4 8.5 7.6Z" />`,
  bookmark: html`<path d="M6.5 4h11A1.5 1.5 0 0 1 19 5.5V20.5l-7-5-7 5V5.5A1.5 1.5 0 0 1 6.5 4Z" />`,
  share: html`<path d="M12 14.5V3.8M8 7.5l4-4 4 4M5 12.5V19a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 19 19v-6.5" />`,
  dots: html`<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="3" />`,
  gear: html`<path d="M4 7h9M17.5 7H20M4 17h2.5M11 17h9" /><circle cx="15.2" cy="7" r="2.3" /><circle cx="8.8" cy="17" r="2.3" />`,
  photos: html`<rect x="7" y="3.5" width="13.5" height="13.5" rx="3" /><path d="M17 20.5H6.5a3 3 0 0 1-3-3V7" />`,
  cloud: html`<path d="M7 18.5h10.5a4 4 0 0 0 .6-7.9 6 6 0 0 0-11.5-1A4.5 4.5 0 0 0 7 18.5ZM4 4l16 16" />`,
  hash: html`<path d="M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h15.5M4 15h15.5" />`,
  close: html`<path d="m6 6 12 12M18 6 6 18" />`,
  back: html`<path d="M14.5 5.5 8 12l6.5 6.5" />`,
  next: html`<path d="M9.5 5.5 16 12l-6.5 6.5" />`,
  check: html`<path d="m5 12.5 4.7 4.7L19 7.5" />`,
  clock: html`<circle cx="12" cy="12" r="8.3" /><path d="M12 7.5V12l3 2" />`,
  shield: html`<path d="M12 3.8 19 6.5v5c0 4.3-2.9 7.4-7 8.9-4.1-1.5-7-4.6-7-8.9v-5Z" />`,
  lock: html`<rect x="5" y="10.5" width="14" height="9.5" rx="2.5" /><path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5" />`,
};

export const Sign = ({ name }) =>
  html`<svg class=${'sign sign-' + name} viewBox="0 0 24 24" aria-hidden="true" focusable="false">${signs[name]}</svg>`;

/** The mark: a heart and its echo, the second tap. */
export const Mark = () => html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
  <path class="mark-echo" d=${heart} /><path class="mark-heart" transform="translate(4.8 4.72) scale(0.6)" d=${heart} />
</svg>`;
