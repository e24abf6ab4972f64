// Trying an operation with one's own token: that of the web app on this device, or one that is pasted.
const own = () => { try { return JSON.parse(localStorage.getItem('pocketbase_auth')).token; } catch { return ''; } };
for (const form of document.querySelectorAll('form.try')) {
  form.hidden = false;
  form.token.value = own();
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const out = form.querySelector('output');
    out.hidden = false;
    out.textContent = 'Asking…';
    try {
      const options = { method: form.dataset.method, headers: {} };
      if (form.token.value) options.headers.Authorization = form.token.value;
      if (form.body?.value) { options.body = form.body.value; options.headers['Content-Type'] = 'application/json'; }
      const answer = await fetch(form.path.value, options);
      const text = await answer.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* no JSON */ }
      out.textContent = `${answer.status} ${answer.statusText}\n${shown}`;
    } catch (err) {
      out.textContent = `No answer: ${err.message}`;
    }
  });
}
