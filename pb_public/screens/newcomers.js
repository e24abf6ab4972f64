// A few people to follow, beside the feed.

import { html, useEffect, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { newcomers } from '../lib/search.js';
import { Person } from './persons.js';
import { useAgain } from './ui.js';

export function Newcomers() {
  const [people, setPeople] = useState(null);
  const [error, setError] = useState(null);
  const load = () => newcomers(pb, 6).then((found) => {
    setPeople(found);
    setError(null);
  }, setError);
  useEffect(() => void load(), []);
  useAgain(error, load);
  return html`<section class="newcomers"><h2 class="section-title">New here</h2>
    ${error && html`<p class="hint">${because(error)}</p>`}
    ${people?.length === 0 && html`<p class="hint">You are the first one here. Invite a friend.</p>`}
    <ul class="persons">${people?.map((person) => html`<${Person} key=${person.id} person=${person} />`)}</ul></section>`;
}
