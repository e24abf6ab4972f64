// What our pages share: a frame in the dashboard's look, a table, and words for numbers and times.

/** A page with a title, what it is for, controls beside the title, and content. */
export function frame(title, about, controls, ...content) {
  return t.div(
    { className: 'page dt-page' },
    t.div(
      { className: 'page-content full-height' },
      t.header(
        { className: 'page-header' },
        t.nav({ className: 'breadcrumbs' }, t.h1({ className: 'breadcrumb-item dt-title' }, title)),
        ...controls,
      ),
      t.p({ className: 'dt-about txt-hint' }, about),
      ...content,
      t.footer({ className: 'page-footer' }, app.components.credits()),
    ),
  );
}

/**
 * A question to the service, asked at once. Where it is shown, one sees that it loads, the answer, or what went wrong with a
 * way to ask again. path(before) is where to ask, empty while there is nothing to ask; before is the answer so far when more()
 * is wanted, and join(before, more) adds up.
 */
export function question(path, join) {
  const state = store({ idle: true, answer: null, refused: '' });
  let latest = 0;
  const ask = async (before) => {
    const mine = ++latest; // an answer that another question has overtaken is dropped
    const at = path(before);
    state.idle = !at;
    if (!at) return;
    try {
      const answer = await app.pb.send(`/api/v1/${at}`, { requestKey: null });
      if (mine === latest) Object.assign(state, { answer: before ? join(before, answer) : answer, refused: '' });
    } catch (err) {
      app.checkApiError(err, false);
      if (mine === latest) Object.assign(state, { answer: null, refused: err.response?.message || 'The service does not answer.' });
    }
  };
  const self = {
    load: () => ask(),
    more: () => ask(state.answer),
    /** Asks for something else, so that the answer so far is none. */
    anew: () => {
      Object.assign(state, { answer: null, refused: '' });
      return ask();
    },
    /** none is what to show while nothing is asked. */
    shown: (content, none = null) => () => {
      if (state.idle) return none;
      if (state.refused) return t.div({ className: 'dt-none', role: 'alert' }, t.p(null, state.refused), button('Try again', self.anew));
      return state.answer ? content(state.answer) : t.span({ className: 'loader lg m-auto', role: 'status', ariaLabel: 'Loading' });
    },
  };
  self.load();
  return self;
}

/** Tells the service something; true when it has done it. */
export async function tell(path, body, done) {
  try {
    await app.pb.send(`/api/v1/${path}`, { method: 'POST', body, requestKey: null });
    app.toasts.success(done);
    return true;
  } catch (err) {
    app.checkApiError(err);
    return false;
  }
}

/** A table of rows, each a list of cells, or words where there are none. */
export function table(caption, heads, rows, none) {
  if (!rows.length) return t.p({ className: 'dt-none txt-hint' }, none);
  return t.div(
    { className: 'dt-scroll', tabIndex: 0, role: 'region', ariaLabel: caption },
    t.table(
      null,
      t.caption({ className: 'dt-unseen' }, caption),
      t.thead(null, t.tr(null, ...heads.map((head) => t.th({ 'html-scope': 'col' }, head || t.span({ className: 'dt-unseen' }, 'Actions'))))),
      t.tbody(null, ...rows.map((cells) => t.tr(null, ...cells.map((cell) => t.td(null, cell))))),
    ),
  );
}

export function button(label, onclick, kind = 'secondary') {
  return t.button({ type: 'button', className: `btn sm ${kind}`, onclick }, t.span({ className: 'txt' }, label));
}

/** A choice of one of several values. */
export function choice(label, options, value, onchange) {
  return t.label(
    { className: 'dt-choice' },
    t.span({ className: 'txt-hint txt-sm' }, label),
    t.select({ onchange: (e) => onchange(e.target.value) }, ...options.map(([of, words]) => t.option({ value: of, selected: of === value }, words))),
  );
}

export function tag(words, kind = '') {
  return t.span({ className: `label ${kind}` }, words);
}

export const time = (text) => (text ? new Date(text.replace(' ', 'T')).toLocaleString() : '');
export const count = (n) => n.toLocaleString();

/** Seconds in the unit that suits them. */
export function lasting(seconds) {
  if (!seconds) return '–';
  if (seconds < 1) return `${(seconds * 1000).toPrecision(2)} ms`;
  if (seconds < 120) return `${seconds.toPrecision(2)} s`;
  return `${Math.round(seconds / 60)} min`;
}
