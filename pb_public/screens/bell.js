// A bell for one person's posts: whoever rings it is told of each.

import { html, useEffect, useState } from '../vendor/preact.js';
import { because, pb } from '../lib/api.js';
import { handleOf } from './people.js';
import { useSession } from './session.js';
import { Sign } from './ui.js';

export function Bell({ person }) {
  const { user, say } = useSession();
  const [follow, setFollow] = useState(null); // my edge to them, which holds the bell
  const follows = pb.collection('follows');
  useEffect(() => void follows.getFirstListItem(pb.filter('follower = {:me} && followee = {:them}', { me: user.id, them: person.id }), { requestKey: null }).then(setFollow, () => {}), []);
  async function turn() {
    const before = follow;
    setFollow({ ...before, notify: !before.notify });
    try {
      setFollow(await follows.update(before.id, { notify: !before.notify }, { requestKey: null }));
      say(before.notify ? `You are no longer told of ${handleOf(person)}'s posts.` : `You are told when ${handleOf(person)} posts.`);
    } catch (err) {
      setFollow(before);
      say(because(err));
    }
  }
  if (!follow) return null;
  return html`<button type="button" class=${follow.notify ? 'icon-button bell is-on' : 'icon-button bell'} aria-pressed=${Boolean(follow.notify)}
    aria-label=${`Tell me when ${handleOf(person)} posts`} title="Tell me about new posts" onClick=${turn}><${Sign} name="bell" /></button>`;
}
