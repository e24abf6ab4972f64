// What one keeps: seen by nobody else.

import { html } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { openCursor } from '../lib/cursor.js';
import { Grid, useList } from './grid.js';
import { Empty, useTitle } from './ui.js';

export function Saved() {
  useTitle('Saved');
  const list = useList('saves', () => openCursor(pb, 'saves', { expand: 'post.author' }));
  return html`<section class="page"><h1 class="page-title">Saved</h1><p class="hint page-lead">Only you can see what you keep here.</p>
    <${Grid} list=${list} postOf=${(row) => row.expand?.post}>
      <${Empty} sign="bookmark" title="Nothing saved yet"><p>The bookmark under a photo keeps it for you.</p><//><//></section>`;
}
