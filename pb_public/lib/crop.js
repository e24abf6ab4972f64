// Cutting a photo to a shape before it is sent, in the browser.

/** @import { Frame } from './shapes' */

const MOST = 4096; // pixels of the longer edge: above what is ever served

/**
 * The part of a photo that a frame of the given ratio (width / height) shows: zoom is
 * 1 for the largest part and grows, x and y say where, from 0 to 1.
 * @param {{ width: number, height: number }} photo
 * @param {Frame} frame
 */
export function part({ width, height }, { ratio, zoom = 1, x = 0.5, y = 0.5 }) {
  const w = Math.min(width, height * ratio) / zoom;
  const h = w / ratio;
  return { x: (width - w) * x, y: (height - h) * y, w, h };
}

/**
 * The photo cut so, upright, as a JPEG file.
 * @param {File} file
 * @param {Frame} shape
 */
export async function cut(file, shape) {
  const picture = await createImageBitmap(file);
  try {
    const { x, y, w, h } = part(picture, shape);
    const scale = Math.min(1, MOST / Math.max(w, h));
    const canvas = new OffscreenCanvas(Math.round(w * scale), Math.round(h * scale));
    const ink = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
    ink.fillStyle = '#fff'; // a JPEG knows no transparency
    ink.fillRect(0, 0, canvas.width, canvas.height);
    ink.drawImage(picture, x, y, w, h, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
    return new File([blob], file.name.replace(/\.\w+$/, '') + '.jpg', { type: 'image/jpeg' });
  } finally {
    picture.close();
  }
}
