// What a person has typed and not yet sent: kept on the device under a name until it is sent or given up, so that neither
// leaving, nor closing the page, nor anything that arrives meanwhile takes it away.

import { useEffect, useRef, useState } from '../vendor/preact.js';
import { useSession } from './session.js';

/**
 * A draft of the fields that were changed; what was not touched is shown as stored.
 *
 *   const [draft, change, drop] = useDraft('profile');
 *   html`<input value=${draft.name ?? user.name} onInput=${(event) => change({ name: event.target.value })} />`
 *   change((now) => ({ photos: [...now.photos, photo] }));
 *   drop(sent);   // what is stored now; what was typed since stays. Without sent, all of it
 */
export function useDraft(name) {
  const { shelf } = useSession();
  const key = `draft/${name}`;
  const [draft, setDraft] = useState({});
  const latest = useRef({});
  const begun = useRef(false); // dropped: what the device still has is old

  function show(next) {
    latest.current = next;
    setDraft(next);
    if (Object.keys(next).length) shelf.put(key, next).catch(() => {}); // it stays for as long as the page does
    else shelf.drop(key).catch(() => {});
  }
  useEffect(() => {
    let current = true;
    begun.current = false;
    shelf.get(key).then((found) => current && !begun.current && found && setDraft(latest.current = { ...found, ...latest.current }), () => {});
    return () => (current = false);
  }, [key]);

  function drop(sent) {
    begun.current = true;
    show(sent ? Object.fromEntries(Object.entries(latest.current).filter(([field, value]) => sent[field] !== value)) : {});
  }
  const change = (what) => show({ ...latest.current, ...(typeof what === 'function' ? what(latest.current) : what) });
  return [draft, change, drop];
}
