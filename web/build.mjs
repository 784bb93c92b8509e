// SPDX-License-Identifier: Apache-2.0
// Builds the front end: node build.mjs OUTPUT [NODE_MODULES]
// Hashed names, so that browsers may keep files for ever; index.html names them and is never kept.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** Gzip bytes: the frame with all that it imports, any page opened first (frame and page together), one page, the style. */
const FRAME_BUDGET = 40_000;
const FIRST_BUDGET = 60_000;
const PAGE_BUDGET = 30_000;
const STYLE_BUDGET = 15_000;

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, 'dist'));
const modules = path.resolve(process.argv[3] ?? path.join(here, 'node_modules'));
const require = createRequire(path.join(modules, 'x.js'));
const esbuild = require('esbuild');

async function bundle() {
  const result = await esbuild.build({
    absWorkingDir: here,
    entryPoints: { app: 'src/main.tsx', style: 'styles/main.css' },
    nodePaths: [modules],
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    legalComments: 'none',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    outdir: '/out',
    write: false,
    metafile: true,
  });
  const files = result.outputFiles.map((f) => ({ name: path.basename(f.path), bytes: Buffer.from(f.contents) }));
  return { files, inputs: Object.keys(result.metafile.inputs), outputs: outputsOf(result.metafile) };
}

/** Per script: what it is built from, what it needs at once, and which pages it can fetch later. */
function outputsOf(metafile) {
  const found = new Map();
  for (const [file, o] of Object.entries(metafile.outputs)) {
    const of = (kind) => o.imports.filter((i) => i.kind === kind).map((i) => path.basename(i.path));
    found.set(path.basename(file), { entry: o.entryPoint ?? null, now: of('import-statement'), later: of('dynamic-import') });
  }
  return found;
}

/** A script and everything it imports statically, however far. */
function closure(outputs, name, into = new Set()) {
  if (!into.has(name)) {
    into.add(name);
    outputs.get(name).now.forEach((n) => closure(outputs, n, into));
  }
  return into;
}

function hashed(base, ext, bytes) {
  return `${base}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase()}${ext}`;
}

function check(what, size, budget) {
  console.log(`${what}: ${size} gzip (budget ${budget})`);
  if (size > budget) {
    throw new Error(`${what} is over its budget`);
  }
}

/** Holds the frame and every page against their budgets; returns the names that the frame imports. */
function checkScripts(files, outputs, app) {
  const sizes = new Map(files.map((f) => [f.name, gzipSync(f.bytes, { level: 9 }).length]));
  const sum = (names) => [...names].reduce((n, name) => n + sizes.get(name), 0);
  const frame = closure(outputs, app);
  check('frame', sum(frame), FRAME_BUDGET);
  for (const name of [...outputs.get(app).later].sort()) {
    const whole = closure(outputs, name);
    const own = [...whole].filter((n) => !frame.has(n));
    check(`page ${name.replace(/-[^-]*$/, '')}`, sum(own), PAGE_BUDGET);
    check('  with the frame', sum(new Set([...frame, ...whole])), FIRST_BUDGET);
  }
  return [...frame].filter((n) => n !== app);
}

/** The notices that the bundled packages ask to travel with them; found through the bundle's own inputs. */
async function notices(inputs) {
  const names = new Set(inputs.map((f) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(f)?.[1]).filter(Boolean));
  const texts = [];
  for (const name of [...names].sort()) {
    const dir = path.join(modules, name);
    const file = (await readdir(dir)).find((f) => /^licen[cs]e/i.test(f));
    texts.push(`${name}\n\n${file ? await readFile(path.join(dir, file), 'utf8') : 'no licence file in the package'}`);
  }
  return Buffer.from(texts.join('\n\n----\n\n'));
}

async function main() {
  const { files, inputs, outputs } = await bundle();
  const app = [...outputs].find(([, o]) => o.entry === 'src/main.tsx')[0];
  const style = files.find((f) => f.name.endsWith('.css'));
  const needed = checkScripts(files, outputs, app);
  check('style', gzipSync(style.bytes, { level: 9 }).length, STYLE_BUDGET);
  const icon = await readFile(path.join(here, 'icon.svg'));
  const iconName = hashed('icon', '.svg', icon);
  const html = (await readFile(path.join(here, 'index.html'), 'utf8'))
    .replace('@SCRIPT@', app)
    .replace('@PRELOAD@', needed.map((n) => `<link rel="modulepreload" href="/${n}">`).join('\n'))
    .replace('@STYLE@', style.name)
    .replace('@ICON@', iconName);
  const all = [
    ...files,
    { name: iconName, bytes: icon },
    { name: 'index.html', bytes: Buffer.from(html) },
    { name: 'licenses.txt', bytes: await notices(inputs) },
    { name: 'openapi.yaml', bytes: await readFile(path.join(here, 'openapi.yaml')) },
  ];
  // Beside the old output first, then in its place: a server never sees half of it.
  const next = `${out}.new`;
  await rm(next, { recursive: true, force: true });
  await mkdir(next, { recursive: true });
  for (const f of all) {
    await writeFile(path.join(next, f.name), f.bytes);
    await writeFile(path.join(next, `${f.name}.gz`), gzipSync(f.bytes, { level: 9 }));
  }
  await rm(out, { recursive: true, force: true });
  await rename(next, out);
  console.log(`${(await readdir(out)).length} files in ${out}`);
}

await main();
