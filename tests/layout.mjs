// What is wrong with the layout of a page that is open: boxes that hide or scroll sideways, and what sticks out of its box.

/** The widths and sizes of text that every screen is looked at in. */
export const views = [
  { width: 320, text: 1 }, { width: 320, text: 2 }, { width: 390, text: 1 }, { width: 768, text: 1 }, { width: 1280, text: 1 }, { width: 1280, text: 2 },
];

/** Everything that does not fit, in the page and inside each box that scrolls, by view. */
export async function misfits(page) {
  const wrong = [];
  for (const { width, text } of views) {
    await page.setViewportSize({ width, height: width < 700 ? 700 : 900 });
    await page.evaluate((size) => { document.documentElement.style.fontSize = `${size * 16}px`; }, text);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    for (const what of await page.evaluate(look)) wrong.push(`${width} px, text ${text * 100} %: ${what}`);
  }
  await page.evaluate(() => { document.documentElement.style.fontSize = ''; });
  return wrong;
}

/** Runs in the page. */
function look() {
  const meant = '.strip, .chosen, .case-photos, .stories'; // rows of photos that one moves sideways
  const found = new Map(); // by kind and element, each told once
  const nameOf = (el) => `${el.localName}${[...el.classList].map((one) => '.' + one).join('')}`;
  const tell = (kind, el, by) => {
    const key = `${kind} ${nameOf(el)}`;
    if (!found.has(key)) found.set(key, `${key} by ${Math.round(by)} px in ${nameOf(el.parentElement)}: ${el.textContent.trim().slice(0, 40)}`);
  };
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) tell('wide', page.firstElementChild, page.scrollWidth - innerWidth);

  for (const el of document.querySelectorAll('body *')) {
    if (el.closest('.visually-hidden, svg, option') || !el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const style = getComputedStyle(el);
    const box = el.getBoundingClientRect();
    if (style.clipPath !== 'none' || box.width < 2 || box.height < 2) continue;
    const shortened = style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none';
    const inRow = el.closest(meant);
    if (style.overflowX !== 'visible' && !inRow && !el.matches('input, textarea') && !shortened && el.scrollWidth > el.clientWidth + 1) tell('scrolls', el, el.scrollWidth - el.clientWidth);
    if (!inRow && (box.right > innerWidth + 1 || box.left < -1)) tell('leaves the window', el, Math.max(box.right - innerWidth, -box.left));

    // a child beside the box that holds it
    const parent = el.parentElement;
    const holder = getComputedStyle(parent);
    if (['static', 'relative'].includes(style.position) && style.display !== 'inline' && holder.display !== 'inline' && holder.display !== 'contents' && !parent.closest(meant)) {
      const around = parent.getBoundingClientRect();
      const right = box.right - around.right + Math.min(0, parseFloat(style.marginRight));
      const left = around.left - box.left + Math.min(0, parseFloat(style.marginLeft));
      if (Math.max(left, right) > 1) tell('sticks out', el, Math.max(left, right));
    }

    // words outside of the block that they stand in
    if (shortened || el.closest('textarea, select')) continue;
    const words = [...el.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!words.length) continue;
    let block = el;
    while (getComputedStyle(block).display === 'inline') block = block.parentElement;
    const clamped = block.closest('p, div, span');
    if (clamped && getComputedStyle(clamped).webkitLineClamp !== 'none') continue;
    const room = block.getBoundingClientRect();
    const spare = parseFloat(style.fontSize) * 0.4; // letters may be taller than their line
    const range = document.createRange();
    for (const node of words) {
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        const by = Math.max(rect.right - room.right, room.left - rect.left, rect.bottom - room.bottom - spare, room.top - rect.top - spare);
        if (rect.width > 1 && by > 1) tell('spills', block, by);
      }
    }
  }
  return [...found.values()];
}

/** No barrier, nothing that sticks out at any size; and pictures for people to look at, where a folder is named. */
export async function inspectScreen(windows, page, name) {
  const size = page.viewportSize();
  await windows.accessible(page, name);
  windows.wrong.push(...(await misfits(page)).map((what) => `${name}, ${what}`));
  await page.setViewportSize(size);
  if (!process.env.PICTURES) return;
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
      await page.screenshot({ path: `${process.env.PICTURES}/${name}-${width}-${colorScheme}.png` });
    }
  }
  await page.setViewportSize(size);
}
