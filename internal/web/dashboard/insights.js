// Insights: what people do, day by day, and how the service does now.
import { choice, count, frame, lasting, question, table, tag } from './ui.js';

const series = [
  ['likes', 'Likes', '--dangerColor'],
  ['posts', 'Posts', '--infoColor'],
  ['signups', 'Sign-ups', '--successColor'],
  ['active', 'Active people', '--warningColor'],
];

export function page() {
  const data = store({ days: '30' });
  const figures = question(() => `admin/insights?days=${data.days}`);
  return frame(
    'Insights', 'What people do, day by day in UTC, and how the service does right now.',
    [
      app.components.refreshButton({ onclick: figures.load }),
      choice('Period', [['7', '7 days'], ['30', '30 days'], ['90', '90 days'], ['365', 'a year']], data.days, (days) => {
        data.days = days;
        figures.load();
      }),
    ],
    figures.shown((f) => app.store.activeColorScheme && content(f)), // charts take their colours when they are drawn
  );
}

function content(f) {
  const { queue } = f;
  return t.div(
    { className: 'dt-stack' },
    t.section(
      { className: 'dt-cards', ariaLabel: 'Right now' },
      card('Like to answer', lasting(f.likes.p50), spread(f.likes)),
      card('Notification to device', lasting(f.deliveries.p50), spread(f.deliveries)),
      card('Jobs waiting', count(queue.ready + queue.running), queue.late > 5 ? `the oldest is ${lasting(queue.late)} late` : 'none is late'),
      card('Jobs that gave up', count(queue.dead), queue.dead ? 'see Jobs' : 'none'),
      card('Open reports', count(f.reports), f.reports ? 'see Moderation' : 'none'),
      card('Connected', count(f.devices), `devices of ${count(f.people)} people`),
    ),
    t.div({ className: 'dt-charts' }, ...series.map(([key, label, color]) => chart(f.days, key, label, color))),
    t.section(
      null,
      t.h2({ className: 'dt-head' }, 'Webhooks'),
      table('Webhooks', ['Address', 'State', 'Delivered', 'Failing', 'Given up'], f.webhooks.map((w) => [
        w.url, w.disabled ? tag(`disabled: ${w.reason}`, 'danger') : w.failingSince ? tag('failing', 'warning') : tag('well', 'success'),
        count(w.delivered), count(w.failing), count(w.dead),
      ]), 'There are no webhooks.'),
    ),
  );
}

function spread({ count: of, p99 }) {
  return of ? `median of ${count(of)}; p99 ${lasting(p99)}` : 'none since the start';
}

function card(label, value, about) {
  return t.div({ className: 'dt-card', role: 'group', ariaLabel: label }, t.div({ className: 'txt-hint' }, label), t.div({ className: 'dt-value' }, value), t.div({ className: 'txt-hint txt-sm' }, about));
}

// A chart is a picture for eyes; its sentence says the same to everybody else.
function chart(days, key, label, color) {
  const total = days.reduce((sum, day) => sum + day[key], 0);
  const says = key === 'active' ? `${count(days.at(-1)[key])} today` : `${count(total)} in ${days.length} days, ${count(days.at(-1)[key])} today`;
  const plot = t.div({ className: 'dt-plot', role: 'img', ariaLabel: `${label}: ${says}`, onmount: draw, onunmount: (el) => el.plotted?.() });
  return t.section({ className: 'dt-card' }, t.h2({ className: 'dt-head' }, label), t.div({ className: 'txt-hint txt-sm' }, says), plot);

  function draw(el) {
    const css = getComputedStyle(el);
    const of = (name) => css.getPropertyValue(name).trim();
    const lines = { stroke: of('--surfaceAlt2Color'), width: 1 };
    const axis = { stroke: of('--surfaceTxtHintColor'), grid: lines, ticks: lines };
    const width = () => Math.max(200, el.clientWidth);
    const uplot = new uPlot({
      width: width(), height: 180, legend: { show: false }, cursor: { y: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: { y: { range: (_, low, high) => [0, Math.max(1, Math.ceil(high * 1.1))] } },
      series: [{}, { label, stroke: of(color), width: 2, fill: `color-mix(in srgb, ${of(color)}, transparent 85%)`, points: { show: days.length < 32, size: 5 } }],
      axes: [{ ...axis, values: [[86400, '{D} {MMM}', null, null, null, null, null, null, 1]], space: 60, size: 34 },
        { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6] }],
    }, [days.map(({ day }) => Date.parse(`${day}T00:00:00Z`) / 1000), days.map((day) => day[key])], el);
    const watching = new ResizeObserver(() => uplot.setSize({ width: width(), height: 180 }));
    watching.observe(el);
    el.plotted = () => {
      watching.disconnect();
      uplot.destroy();
    };
  }
}
