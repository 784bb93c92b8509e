// SPDX-License-Identifier: Apache-2.0
// Starting Debian's own browser, watching it for what must never happen, and looking at pages with axe.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { builddir, requireFrom } from '../lib/tap.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];

/** Why the browser tests cannot run here; null when they can. */
export function missing() {
  if (!requireFrom('playwright-core') || !requireFrom('axe-core')) {
    return 'node modules are missing (npm ci in web/)';
  }
  return existsSync(CHROMIUM) ? null : `${CHROMIUM} is missing`;
}

export async function launch() {
  const { chromium } = requireFrom('playwright-core')('playwright-core');
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

const waiting = new WeakMap();

/** A page with listeners: `trouble` collects CSP violations, script errors and console errors. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const trouble = [];
  /* What it has asked the server and not heard of yet; its stream of events never ends. */
  const asked = new Set();
  page.on('request', (r) => ['fetch', 'xhr', 'image'].includes(r.resourceType()) && asked.add(r));
  for (const over of ['requestfinished', 'requestfailed']) {
    page.on(over, (r) => asked.delete(r));
  }
  waiting.set(page, asked);
  await page.exposeFunction('reportViolation', (v) => trouble.push(`CSP violation: ${v}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => {
      window.reportViolation(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`);
    });
  });
  page.on('pageerror', (e) => trouble.push(`script error: ${e.message}`));
  page.on('console', (m) => {
    // A refused call is reported by the browser as an error; the page shows it in words.
    if (m.type() === 'error' && !/Failed to load resource|ERR_/.test(m.text())) {
      trouble.push(`console: ${m.text()}`);
    }
  });
  return { context, page, trouble };
}

/** Waits until a page of openPage() has heard of all it asked for, and has drawn it. */
export async function settled(page) {
  const asked = waiting.get(page), end = Date.now() + 10_000;
  for (let calm = 0; calm < 2 && Date.now() < end; calm = asked.size ? 0 : calm + 1) {
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  }
}

/** Accessibility violations as readable lines. */
export async function axe(page) {
  const source = readFileSync(requireFrom('axe-core').resolve('axe-core/axe.min.js'), 'utf8');
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.evaluate(source);
  }
  return page.evaluate(
    async (tags) => {
      const r = await window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
      if (r.passes.length + r.violations.length === 0) {
        return ['axe has checked nothing'];
      }
      return r.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} (${n.failureSummary?.split('\n')[1]?.trim() ?? ''})`).join('; ')}`);
    },
    AXE_TAGS,
  );
}

/** True when the page is wider than the screen. */
export async function overflows(page) {
  return page.evaluate(() => {
    const main = document.querySelector('main');
    return document.documentElement.scrollWidth > innerWidth + 1 || (main !== null && main.scrollWidth > main.clientWidth + 1);
  });
}

/** Where screenshots go; made when first needed. */
export function shotsDir() {
  const dir = path.join(builddir, 'shots');
  mkdirSync(dir, { recursive: true });
  return dir;
}

export async function shot(page, name, dir = shotsDir()) {
  await page.screenshot({ path: path.join(dir, `${name}.png`) });
}

export async function signIn(page, url, user, password) {
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.frame').waitFor();
}
