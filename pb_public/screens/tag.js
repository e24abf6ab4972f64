// The posts with one hashtag.

import { html, useEffect, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { openCursor } from '../lib/cursor.js';
import { Grid, useList } from './grid.js';
import { Empty, count, useTitle } from './ui.js';

export function Tag({ name }) {
  useTitle(`#${name}`);
  const [tag, setTag] = useState(null);
  const list = useList('posts', () => openCursor(pb, 'post_tags', { filter: pb.filter('tag.name = {:name}', { name }), expand: 'post.author' }));
  useEffect(() => void pb.collection('hashtags').getFirstListItem(pb.filter('name = {:name}', { name }), { requestKey: null }).then(setTag, () => {}), [name]);
  return html`<section class="page"><h1 class="page-title" dir="auto">#${tag?.displayName || name}</h1><p class="hint page-lead">${tag ? count(tag.postsCount, 'post') : ''} </p>
    <${Grid} list=${list} postOf=${(row) => row.expand?.post}>
      <${Empty} sign="hash" title="No photos here"><p>Nobody has used this hashtag in a post you can see.</p><//><//></section>`;
}
