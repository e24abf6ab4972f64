// Jobs: what the service does in the background, what gave up, and what was sent to webhooks.
import { button, choice, count, frame, question, table, tag, tell, time } from './ui.js';

const kinds = { ready: '', running: 'info', dead: 'danger', delivered: 'success', failing: 'warning' };

export function page() {
  const data = store({ state: 'dead', webhook: '' });
  const jobs = question(() => `admin/jobs?state=${data.state}`);
  const deliveries = question(() => data.webhook && `admin/deliveries?webhook=${data.webhook}`);
  const handle = async (job, action, done) => (await tell(`admin/jobs/${job.id}`, { action }, done)) && jobs.load();
  const repeat = async (delivery) => (await tell(`admin/deliveries/${delivery.id}`, {}, 'It goes out again.')) && deliveries.load();
  return frame(
    'Jobs', 'Work that outlives a request. What fails is tried again, longer and longer apart, and then given up until somebody looks.',
    [
      app.components.refreshButton({ onclick: () => Promise.all([jobs.load(), deliveries.load()]) }),
      choice('Show', [['dead', 'given up'], ['ready', 'waiting'], ['running', 'running'], ['', 'all']], data.state, (state) => {
        data.state = state;
        jobs.anew();
      }),
    ],
    jobs.shown(({ counts, items, webhooks }) => t.div(
      { className: 'dt-stack' },
      part('The latest', table('The latest', ['Kind', 'State', 'Attempts', 'Due', 'Last error', ''], items.map((job) => [
        t.code(null, job.kind), tag(job.state === 'dead' ? 'given up' : job.state, kinds[job.state]), count(job.attempts), time(job.runAt), error(job.error),
        job.state === 'dead' ? t.div({ className: 'dt-row' },
          button('Retry', () => handle(job, 'retry', 'It is tried again.')),
          button('Discard', () => app.modals.confirm(`Discard this ${job.kind} for good?`, () => handle(job, 'discard', 'Discarded.')), 'danger')) : '',
      ]), data.state === 'dead' ? 'Nothing has given up.' : 'There are none of these.')),
      part('How many', table('How many', ['Kind', 'Waiting', 'Running', 'Given up'], Object.entries(counts).sort().map(([kind, by]) => [
        t.code(null, kind), count(by.ready ?? 0), count(by.running ?? 0), by.dead ? tag(count(by.dead), 'danger') : '0',
      ]), 'There is nothing to do.')),
      part('Deliveries', webhooks.length ? choice('To', [['', 'choose a webhook'], ...webhooks.map((w) => [w.id, w.url])], data.webhook, (id) => {
        data.webhook = id;
        deliveries.anew();
      }) : t.p({ className: 'dt-none' }, 'There are no webhooks; add one in the collection webhooks.')),
    )),
    deliveries.shown(({ items }) => table('Deliveries', ['Event', 'State', 'Status', 'Attempts', 'When', 'Error', ''], items.map((d) => [
      t.code(null, d.type), tag(d.state, kinds[d.state]), d.status || '–', count(d.attempts), time(d.updated), error(d.error),
      button('Send again', () => repeat(d)),
    ]), 'Nothing was sent there yet.')),
  );
}

const part = (head, ...content) => t.section(null, t.h2({ className: 'dt-head' }, head), ...content);
const error = (words) => t.span({ className: 'dt-error' }, words);
