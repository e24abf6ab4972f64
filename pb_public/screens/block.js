// The question before two people are parted.

import { html } from '../vendor/preact.js';
import { Confirm } from './dialog.js';
import { handleOf } from './people.js';
import { useSession } from './session.js';

/** Blocks a person when it is meant; onDone hears of it when it is done. */
export function BlockQuestion({ person, onDone = () => {}, onClose }) {
  const { feed, tieOf } = useSession();
  async function block() {
    await tieOf(person).block();
    feed.without(person.id);
    onDone();
  }
  return html`<${Confirm} title=${`Block ${handleOf(person)}?`} action="Block" onDo=${block} onClose=${onClose}>You will not see each other's photos, likes and comments, and follow each other no longer. Nobody is told.<//>`;
}
