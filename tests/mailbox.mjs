// A mail server on loopback, and what came to it, as a mail program reads it.

import { createServer } from 'node:net';

/** Starts a mail server that ends with the test, and has the service mail through it. */
export async function mailbox(t, service) {
  const box = new Mailbox();
  const server = createServer((socket) => box.serve(socket));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => server.close());
  const admin = await service.admin();
  await admin.settings.update({
    meta: { ...(await admin.settings.getAll()).meta, appName: 'Doubletap', senderName: 'Doubletap', senderAddress: 'post@example.com' },
    smtp: { enabled: true, host: '127.0.0.1', port: server.address().port },
  });
  return box;
}

class Mailbox {
  mails = []; // {to, subject, text, html}
  #waiting = [];

  serve(socket) {
    let text = '';
    let to = '';
    let data = false;
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.write('220 localhost\r\n');
    socket.on('data', (chunk) => {
      text += chunk;
      for (;;) {
        const end = text.indexOf(data ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const part = text.slice(0, end);
        text = text.slice(end + (data ? 5 : 2));
        if (data) this.#came(to, part);
        else if (/^RCPT TO:/i.test(part)) to = /<(.*?)>/.exec(part)[1];
        const starts = !data && /^DATA/i.test(part);
        socket.write(starts ? '354 go on\r\n' : /^QUIT/i.test(part) && !data ? '221 bye\r\n' : '250 ok\r\n');
        data = starts;
      }
    });
  }

  #came(to, raw) {
    const { head, body } = split(raw);
    const parts = partsOf(head, body);
    const mail = { to, subject: words(head.subject ?? ''), text: parts['text/plain'] ?? '', html: parts['text/html'] ?? '' };
    this.mails.push(mail);
    this.#waiting = this.#waiting.filter((look) => !look());
  }

  /** The nth mail to an address whose subject says so, as soon as it is there. */
  to(address, subject, n = 1) {
    return new Promise((found) => {
      const look = () => {
        const mail = this.mails.filter((one) => one.to === address && subject.test(one.subject))[n - 1];
        if (mail) found(mail);
        return Boolean(mail);
      };
      if (!look()) this.#waiting.push(look);
    });
  }
}

/** The link of a mail to a page of the web app. */
export function linkOf(mail, page) {
  const [link] = new RegExp(`https?://\\S+/#/${page}/\\S+`).exec(mail.text) ?? [];
  if (!link || !mail.html.includes(link)) throw new Error(`no link to ${page} in ${mail.text}\n${mail.html}`);
  return link;
}

function split(raw) {
  const [head, ...body] = raw.split('\r\n\r\n');
  const fields = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n').map((line) => line.split(/:\s*(.*)/s));
  return { head: Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value])), body: body.join('\r\n\r\n') };
}

function partsOf(head, body) {
  const type = head['content-type'] ?? 'text/plain';
  const [, boundary] = /boundary="?([^";]+)"?/.exec(type) ?? [];
  if (!boundary) return { [type.split(';')[0].trim()]: decoded(body, head['content-transfer-encoding']) };
  const parts = body.split(`--${boundary}`).slice(1, -1).map((part) => split(part.replace(/^\r\n/, '')));
  return Object.assign({}, ...parts.map((part) => partsOf(part.head, part.body)));
}

function decoded(body, how = '') {
  if (/base64/i.test(how)) return Buffer.from(body, 'base64').toString();
  if (!/quoted/i.test(how)) return body;
  const bytes = body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

const words = (subject) => subject.replace(/=\?utf-8\?q\?(.*?)\?=\s*/gi, (_, text) => decoded(text.replaceAll('_', ' '), 'quoted'));
