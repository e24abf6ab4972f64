// Why: may this person see that record, and which clause of the rule says so.
import { frame, question, table, tag } from './ui.js';

export function page(route) {
  const asked = (name) => route.query?.[name]?.[0] ?? '';
  const data = store({ viewer: asked('viewer'), collection: asked('collection') || 'posts', record: asked('record'), looked: asked('record') !== '' });
  const reason = question(() => {
    if (!data.looked) return '';
    const query = { viewer: data.viewer, collection: data.collection, record: data.record };
    app.utils.replaceHashQueryParams(query); // so that the answer can be sent to somebody, or asked for again
    return `admin/why?${new URLSearchParams(query)}`;
  });
  const look = (e) => {
    e.preventDefault();
    app.store.errors = null;
    data.looked = true;
    reason.anew();
  };
  const field = (name, label, about) => t.div(
    { className: 'field' },
    t.label({ htmlFor: `dt-${name}` }, label),
    t.input({ id: `dt-${name}`, name, type: 'text', value: () => data[name], placeholder: about, autocomplete: 'off', oninput: (e) => (data[name] = e.target.value.trim()) }),
  );
  return frame(
    'Why', 'Who looks at what? The rule is asked as PocketBase asks it, and each of its clauses by itself.', [],
    t.form(
      { className: 'dt-form', onsubmit: look },
      field('viewer', 'Viewer', 'handle or id; empty for a guest'),
      t.div(
        { className: 'field' },
        t.label({ htmlFor: 'dt-collection' }, 'Collection'),
        t.select({ id: 'dt-collection', name: 'collection', onchange: (e) => (data.collection = e.target.value) },
          ...app.store.collections.filter((c) => !c.name.startsWith('_')).map((c) => t.option({ value: c.name, selected: c.name === data.collection }, c.name))),
      ),
      field('record', 'Record', 'id'),
      t.button({ type: 'submit', className: 'btn' }, t.span({ className: 'txt' }, 'Look')),
    ),
    reason.shown(answer, t.p({ className: 'dt-none' }, 'Name a record, and who looks at it.')),
  );
}

function answer(reason) {
  return t.div(
    { className: 'dt-stack dt-answer', role: 'status' },
    t.p({ className: 'dt-value' }, `${reason.viewer[0].toUpperCase()}${reason.viewer.slice(1)} ${reason.sees ? 'sees it' : 'does not see it'}.`),
    reason.says ? t.p(null, reason.says) : null,
    reason.rule ? t.section({ className: 'dt-card' }, t.h2({ className: 'dt-head' }, 'The rule'), t.ul({ className: 'dt-clauses' }, clause(reason.rule))) : null,
    reason.facts.length ? t.section(null, t.h2({ className: 'dt-head' }, 'What it looks at'), table('Facts', ['What', 'Is'], reason.facts.map((f) => [f.name, f.value]), '')) : null,
  );
}

function clause(c) {
  return t.li(
    { className: c.decides ? 'dt-decides' : '' },
    t.div({ className: 'dt-row' }, tag(c.holds ? 'holds' : 'fails', c.holds ? 'success' : 'danger'),
      c.joined ? t.span(null, c.joined === 'any' ? 'any of these' : 'all of these') : t.code(null, c.text),
      c.decides && !c.joined ? tag('decides', 'info') : null),
    c.parts.length ? t.ul(null, ...c.parts.map(clause)) : null,
  );
}
