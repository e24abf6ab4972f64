// Four pages for PocketBase's dashboard, in its own parts and look. Each lives in a module of its own, which is read when the
// page is first opened. "#/insights" and the others must be registered before this script ends.
const base = app.pb.buildURL('/_/extensions/doubletap/');

const style = document.createElement('link');
style.rel = 'stylesheet';
style.href = `${base}style.css`;
document.head.append(style);

for (const [name, label, icon] of [
  ['insights', 'Insights', 'ri-line-chart-line'],
  ['moderation', 'Moderation', 'ri-shield-check-line'],
  ['jobs', 'Jobs', 'ri-stack-line'],
  ['why', 'Why', 'ri-question-line'],
]) {
  app.store.headerLinks.push({ href: `#/${name}`, label, icon });
  app.routes.superuserOnly(`#/${name}`, async (route) => {
    app.store.title = label;
    const { page } = await import(`${base}${name}.js`);
    return page(route);
  });
}
