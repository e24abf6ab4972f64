// Requests below the SDK, for what it would never send and for answers to the byte.

/** Sends a request as whoever is signed in; a body that is no text or form becomes JSON. */
export async function send(pb, method, path, body, headers = {}) {
  const raw = typeof body === 'string' || body === undefined || body instanceof FormData;
  const response = await fetch(pb.baseURL + path, {
    method,
    body: raw ? body : JSON.stringify(body),
    headers: {
      ...(body !== undefined && !(body instanceof FormData) && { 'Content-Type': 'application/json' }),
      ...(pb.authStore.token && { Authorization: pb.authStore.token }),
      ...headers,
    },
  });
  const text = await response.text();
  return { status: response.status, text, headers: Object.fromEntries(response.headers) };
}

export const records = (collection, id) => `/api/collections/${collection}/records${id ? `/${id}` : ''}`;

/** What is left of an answer when the moment is taken out of it. */
export function bytes({ status, text, headers }) {
  const { date, 'x-request-id': request, ...rest } = headers;
  return { status, text, headers: rest };
}

/** The error of an SDK call that must be refused. */
export async function refused(call, status) {
  const err = await call.then(
    (answer) => { throw new Error(`not refused: ${JSON.stringify(answer)}`); },
    (err) => err);
  if (err.status !== status) throw new Error(`status ${err.status}, want ${status}: ${JSON.stringify(err.response)}`, { cause: err });
  return err;
}
