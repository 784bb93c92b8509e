// SPDX-License-Identifier: Apache-2.0
// A barcode scanner that types: keys with instants of their own, so that a busy machine does not slow the scanner.

const sessions = new WeakMap();

async function keyboard(page) {
  if (!sessions.has(page)) {
    sessions.set(page, await page.context().newCDPSession(page));
  }
  return sessions.get(page);
}

/** Types `text` and Enter, `gapMs` apart by the keys' own instants. */
export async function scan(page, text, gapMs = 5) {
  const cdp = await keyboard(page);
  const begin = Date.now() / 1000;
  const keys = [...text, 'Enter'];
  for (const [i, key] of keys.entries()) {
    const enter = key === 'Enter';
    const common = { key, timestamp: begin + (i * gapMs) / 1000, ...(enter ? { code: 'Enter', windowsVirtualKeyCode: 13 } : {}) };
    await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', text: enter ? '\r' : key, ...common });
    await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }
}
