// A create with files and real progress, which fetch cannot tell: the same
// request as the SDK's create, and errors of the same shape.

/** @import { Client, CollectionName } from './shapes' */

/**
 * Sends a form to a collection.
 *
 *   const post = await upload(pb, 'posts', form, { onProgress: (share) => …, signal });
 *
 * onProgress hears how much of the body has left, from 0 to 1. It rejects with
 * {status, response, isAbort}; status 0 means that no answer came: the same form
 * with the same key may then be sent again, and is stored once.
 * @param {Client} pb
 * @param {CollectionName} collection
 * @param {FormData} form
 * @param {{ expand?: string, key?: string, onProgress?: (share: number) => void, signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 */
export function upload(pb, collection, form, { expand = '', key = '', onProgress = () => {}, signal } = {}) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const fail = (isAbort = false) => {
      let response = /** @type {{ message?: string }} */ ({});
      try {
        response = JSON.parse(request.responseText);
      } catch {} // no answer, or not ours
      failed(Object.assign(new Error(response.message || 'The upload failed.'), { status: request.status, response, isAbort }));
    };
    request.open('POST', pb.buildURL(`/api/collections/${collection}/records${expand && `?expand=${expand}`}`));
    request.setRequestHeader('Authorization', pb.authStore.token);
    if (key) request.setRequestHeader('Idempotency-Key', key);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? done(JSON.parse(request.responseText)) : fail());
    request.onerror = () => fail();
    request.onabort = () => fail(true);
    if (signal?.aborted) return fail(true);
    signal?.addEventListener('abort', () => request.abort());
    request.send(form);
    return undefined;
  });
}
