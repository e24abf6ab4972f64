// A few people to follow, beside the feed.

import { html, useEffect, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { newcomers } from '../lib/search.js';
import { Person } from './people.js';

export function Newcomers() {
  const [people, setPeople] = useState(null);
  const [problem, setProblem] = useState('');
  useEffect(() => void newcomers(pb, 6).then(setPeople, (err) => setProblem(because(err))), []);
  return html`<section class="newcomers"><h2 class="section-title">New here</h2>
    ${problem && html`<p class="hint">${problem}</p>`}
    ${people?.length === 0 && html`<p class="hint">You are the first one here. Invite a friend.</p>`}
    <ul class="persons">${people?.map((person) => html`<${Person} key=${person.id} person=${person} />`)}</ul></section>`;
}
