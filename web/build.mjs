// SPDX-License-Identifier: Apache-2.0
// Builds the front end: node build.mjs OUTPUT [NODE_MODULES]
// Hashed names, so that browsers may keep files for ever; index.html names them and is never kept.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const SCRIPT_BUDGET = 60_000;
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
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    legalComments: 'none',
    entryNames: '[name]-[hash]',
    outdir: '/out',
    write: false,
    metafile: true,
  });
  const files = result.outputFiles.map((f) => ({ name: path.basename(f.path), bytes: Buffer.from(f.contents) }));
  return { files, inputs: Object.keys(result.metafile.inputs) };
}

function hashed(base, ext, bytes) {
  return `${base}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase()}${ext}`;
}

function check(what, bytes, budget) {
  const size = gzipSync(bytes, { level: 9 }).length;
  console.log(`${what}: ${bytes.length} bytes, ${size} gzip (budget ${budget})`);
  if (size > budget) {
    throw new Error(`${what} is over its budget`);
  }
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
  const { files, inputs } = await bundle();
  const script = files.find((f) => f.name.endsWith('.js'));
  const style = files.find((f) => f.name.endsWith('.css'));
  check('script', script.bytes, SCRIPT_BUDGET);
  check('style', style.bytes, STYLE_BUDGET);
  const icon = await readFile(path.join(here, 'icon.svg'));
  const iconName = hashed('icon', '.svg', icon);
  const html = (await readFile(path.join(here, 'index.html'), 'utf8'))
    .replace('@SCRIPT@', script.name)
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
