// One post on a page of its own, with everything said about it.

import { html, useEffect, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { Comments } from './comments.js';
import { Post, PostSkeleton } from './feed.js';
import { handleOf } from './people.js';
import { useSession } from './session.js';
import { Trouble, useTitle } from './ui.js';

export function Single({ id, comment }) {
  const { feed, kept } = useSession();
  const [post, setPost] = useState(() => feed.get().posts.find((one) => one.id === id) ?? kept.value('post') ?? null);
  const [error, setError] = useState(null);
  useTitle(post ? `Post by ${handleOf(post?.expand?.author)}` : 'Post');

  async function load() {
    setError(null);
    try {
      const found = await pb.collection('posts').getOne(id, { expand: 'author', requestKey: null });
      kept.keep('post', found);
      setPost(found);
    } catch (err) {
      if (err.status === 404) gone();
      else if (!post) setError(err);
    }
  }
  useEffect(() => void load(), [id]);

  function gone() {
    feed.remove(id);
    kept.change(id, () => null);
    setPost(null);
    setError({ status: 404 });
  }
  function heard(record) {
    feed.update(record);
    setPost((old) => ({ ...old, ...record, expand: { ...old.expand, ...record.expand } }));
  }

  return html`<h1 class="visually-hidden">Post</h1>
    ${error && html`<${Trouble} what="The post" error=${error} gone="This post is gone, or it is not shared with you." onAgain=${load} />`}
    ${!post && !error && html`<${PostSkeleton} />`}
    ${post && html`<div class="single"><${Post} post=${post} eager alone onHeard=${heard} onGone=${gone} />
      <${Comments} key=${post.id} post=${post} marked=${comment} /></div>`}`;
}
