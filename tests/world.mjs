// Posts that some may not see, each with likes, comments and saves around it, and what of them must not get out.

import { smallPhoto } from './photo.mjs';
import { id } from './service.mjs';

/**
 * ada's posts of every kind, dave's of a private account, and eve's, who blocked mallory. bob, who follows all of
 * them, has liked, saved and commented. Whoever is in a post's `from` may see nothing of it.
 */
export async function hiddenWorld(service) {
  const [ada, bob, dave, eve, mallory] = await service.cast('ada', 'bob', 'dave', 'eve', 'mallory');
  const admin = await service.admin();
  const guest = service.guest();
  for (const pb of [ada, dave, eve]) await bob.collection('follows').create({ followee: id(pb) });
  await mallory.collection('follows').create({ followee: id(eve) }); // until she was blocked

  const strangers = { guest, mallory };
  const worlds = [
    await furnish('private', ada, { visibility: 'private' }, ada, strangers),
    await furnish('followers', ada, { visibility: 'followers' }, bob, strangers),
    await furnish('moderated', ada, {}, bob, strangers),
    await furnish('account', dave, {}, bob, strangers),
    await furnish('blocked', eve, {}, bob, { mallory }),
  ];
  await admin.collection('posts').update(worlds[2].post.id, { hidden: true });
  await dave.collection('users').update(id(dave), { private: true });
  await eve.collection('blocks').create({ blocked: id(mallory) });
  return { ada, bob, dave, eve, mallory, admin, guest, worlds };
}

async function furnish(name, author, fields, friend, from) {
  const secret = `zq${name}zq`;
  const post = await author.collection('posts').create({
    photos: [smallPhoto()], caption: `${secret} #seaside`, place: secret, alts: [secret], ...fields,
  });
  const comment = await friend.collection('comments').create({ post: post.id, text: `${secret} comment` });
  const edges = await Promise.all([
    friend.collection('likes').create({ post: post.id }),
    friend.collection('saves').create({ post: post.id, board: secret }),
    friend.collection('comment_likes').create({ comment: comment.id }),
  ]);
  // a story is never one's own alone, nor hidden by a moderator
  const story = ['private', 'moderated'].includes(name) ? null : await author.collection('stories').create({ photo: smallPhoto(), ...fields });
  const view = story && await friend.collection('story_views').create({ story: story.id });
  const secrets = [secret, post.id, comment.id, post.photos[0], ...edges.map((row) => row.id), ...(story ? [story.id, story.photo, view.id] : [])];
  return { name, secret, author, friend, from, post, comment, story, secrets };
}

export const collections = [
  'users', 'settings', 'follows', 'blocks', 'mutes', 'posts', 'likes', 'comments', 'comment_likes', 'saves', 'notifications', 'retractions',
  'notification_events', 'devices', 'feed', 'hidden_posts', 'hashtags', 'post_tags', 'reports', 'jobs', 'audit', 'handles',
  'stories', 'story_views',
];

/** Everything that somebody may try to expand into from a collection. */
export const ways = [
  'post', 'story', 'author', 'user', 'comment', 'parent', 'actors', 'follower', 'followee', 'recipient', 'tag', 'viewer',
  'posts_via_author', 'likes_via_user', 'likes_via_post', 'comments_via_post', 'comments_via_author', 'saves_via_post', 'saves_via_user', 'feed_via_post',
  'feed_via_author', 'notifications_via_post', 'notifications_via_actors', 'comment_likes_via_user', 'comment_likes_via_comment', 'post_tags_via_post',
  'post_tags_via_tag', 'follows_via_follower', 'follows_via_followee', 'reports_via_post', 'settings_via_user', 'devices_via_user', 'mutes_via_post',
  'posts_via_author.likes_via_post', 'posts_via_author.comments_via_post', 'likes_via_user.post', 'comments_via_author.post', 'post_tags_via_tag.post',
  'followee.posts_via_author', 'author.posts_via_author', 'post.author', 'post.comments_via_post.author', 'follows_via_follower.followee.posts_via_author',
  'stories_via_author', 'story_views_via_story', 'story_views_via_viewer', 'stories_via_author.story_views_via_story.viewer',
];
