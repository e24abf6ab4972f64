// A field for words that suggests people after @ and hashtags after #.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { suggest } from '../lib/search.js';
import { nameAt } from '../lib/words.js';
import { Avatar } from './people.js';
import { Sign, count } from './ui.js';

export function Writing({ id, label, hideLabel = false, hint = '', value, onInput, onEnter, rows, most, placeholder, disabled = false, field = useRef(null) }) {
  const [name, setName] = useState(null); // being written; see nameAt
  const [found, setFound] = useState([]);
  const [at, setAt] = useState(0);
  const asked = useRef(0);

  useEffect(() => {
    const mine = ++asked.current;
    if (!name?.typed) return setFound([]);
    const timer = setTimeout(async () => {
      const all = await suggest(pb, name.typed).catch(() => ({ users: [], tags: [] }));
      if (mine !== asked.current) return;
      setFound(name.sign === '@' ? all.users : all.tags);
      setAt(0);
    }, 150);
    return () => clearTimeout(timer);
  }, [name?.sign, name?.typed]);

  function look() {
    setName(nameAt(field.current.value, field.current.selectionStart));
  }
  function typed(event) {
    onInput(event.target.value);
    look();
  }
  const wordOf = (row) => row.handle ?? (row.displayName || row.name);

  function take(row) {
    const text = `${value.slice(0, name.from)}${wordOf(row)} `;
    onInput(text + value.slice(name.to).replace(/^ /, ''));
    setName(null);
    setFound([]);
    field.current.focus();
    requestAnimationFrame(() => field.current?.setSelectionRange(text.length, text.length));
  }

  function pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (found.length && step) setAt((at + step + found.length) % found.length);
    else if (found.length && (event.key === 'Enter' || event.key === 'Tab')) take(found[at]);
    else if (found.length && event.key === 'Escape') setFound([]);
    else if (onEnter && event.key === 'Enter' && !event.shiftKey && !event.isComposing) onEnter(event);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const list = `${id}-names`;
  return html`<div class="field writing">
    <label for=${id} class=${hideLabel ? 'visually-hidden' : ''}>${label}</label>
    <textarea id=${id} ref=${field} rows=${rows} maxlength=${most} dir="auto" placeholder=${placeholder} disabled=${disabled} value=${value}
      aria-autocomplete="list" aria-controls=${found.length ? list : undefined} aria-activedescendant=${found.length ? `${list}-${at}` : undefined} aria-describedby=${hint ? `${id}-hint` : undefined}
      onInput=${typed} onClick=${look} onKeyDown=${pressed} onBlur=${() => setTimeout(() => setFound([]), 150)}></textarea>
    <p class="visually-hidden" role="status">${found.length ? `${count(found.length, 'suggestion')}, arrow keys choose` : ''}</p>
    ${found.length > 0 && html`<ul class="names" id=${list} role="listbox" aria-label="Suggestions">${found.map((row, index) => html`
      <li key=${row.id} id=${`${list}-${index}`} role="option" aria-selected=${index === at} onMouseDown=${(event) => { event.preventDefault(); take(row); }}>
        ${row.handle ? html`<${Avatar} user=${row} /><span><b><bdi>${row.handle}</bdi></b> <bdi class="soft">${row.name}</bdi></span>` : html`<${Sign} name="hash" /><span><b><bdi>${wordOf(row)}</bdi></b> <span class="soft">${count(row.postsCount, 'post')}</span></span>`}</li>`)}</ul>`}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}</div>`;
}
