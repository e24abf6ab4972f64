// A network that breaks: between a client and the service, it cuts connections in the middle of what they carry.

import { connect, createServer } from 'node:net';

/** Opens a proxy to a port; it ends with the test. */
export async function proxy(t, port) {
  const open = new Set();
  let budget = () => Infinity;
  let cuts = 0;

  const server = createServer((client) => {
    const service = connect(port, '127.0.0.1');
    const line = { left: budget(), end: () => [client, service].forEach((socket) => socket.destroy()) };
    open.add(line);
    for (const socket of [client, service]) {
      socket.on('error', () => {}); // whoever cuts a line hears of it on the other side
      socket.on('close', () => { line.end(); open.delete(line); });
    }
    client.on('data', (chunk) => service.write(chunk));
    service.on('data', (chunk) => {
      client.write(chunk.subarray(0, line.left));
      line.left -= chunk.length;
      if (line.left > 0) return;
      cuts++;
      client.end(line.end); // what came before the cut still arrives
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => {
    server.close();
    open.forEach((line) => line.end());
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    get cuts() { return cuts; },
    /** From now on every line is cut after so many bytes as bytes() says. */
    harm(bytes) {
      budget = bytes;
      for (const line of open) line.left = budget();
    },
    heal() {
      budget = () => Infinity;
      for (const line of open) line.left = Infinity;
    },
  };
}
