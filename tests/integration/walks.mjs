// SPDX-License-Identifier: Apache-2.0
// gondolactl on recorded walks and carries: places fit, places score and doors score as commands.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, run, test } from '../lib/tap.mjs';

const program = join(process.env.top_builddir ?? 'build', 'bin/gondolactl');
const dir = mkdtempSync(join(tmpdir(), 'gondola-walks-'));
const file = (name) => join(dir, name);

const call = (...args) => {
	const r = spawnSync(program, args, { encoding: 'utf8' });
	return { code: r.status, lines: r.stdout.trimEnd().split('\n'), err: r.stderr };
};

let seed = 1;
const random = () => ((seed = (seed * 16807) % 2147483647) / 2147483647);

// Two places by two antennas: 1 is loud in the first, 2 in the second.
function walk(name, place, reads) {
	const rows = ['timestamp,reader,antenna,rssi,epc'];
	for (let i = 0; i < reads; i++) {
		const antenna = 1 + (i % 2);
		const level = (antenna === place ? -48 : -62) + Math.round(8 * random() - 4);
		rows.push(`${(1000 + i / 20).toFixed(3)},r,${antenna},${level},b'30${i % 50 ? '01' : 'ff'}'`);
	}
	rows.splice(1, rows.length - 1, ...rows.slice(1).reverse()); // readers report in any order
	writeFileSync(file(name), rows.join('\n') + '\n');
	return file(name);
}

const back = walk('back.csv', 1, 1200), floor = walk('floor.csv', 2, 1200);
const walks = ['--walk', `Back room=${back}`, '--walk', `Floor=${floor}`];
const model = file('store.model');

test('a fit writes a model and says what to expect', () => {
	const r = call('places', 'fit', ...walks, '--out', model);
	assert(r.code === 0, r.err);
	assert(/^gondola-place-model 1\n/.test(readFileSync(model, 'utf8')));
	assert(/^accuracy (0\.9\d\d|1\.000)$/.test(r.lines.at(-2)), r.lines.at(-2));
});

test('a score ends with accuracy and moves', () => {
	const alone = call('places', 'score', '--model', model, ...walks);
	// The very first read may name the wrong place.
	assert(alone.code === 0 && /^moves [012]$/.test(alone.lines.at(-1)), alone.lines.join('|'));
	assert(/^accuracy (0\.99\d|1\.000)$/.test(alone.lines.at(-2)), alone.lines.at(-2));
	const joined = call('places', 'score', '--model', model, ...walks, '--joined');
	assert(/^moves [789]$/.test(joined.lines.at(-1)), joined.lines.at(-1));
	assert(/^accuracy 0\.(8|9)\d\d$/.test(joined.lines.at(-2)), joined.lines.at(-2));
});

test('a place that the model lacks is refused', () => {
	const r = call('places', 'score', '--model', model, '--walk', `Roof=${back}`);
	assert(r.code === 1 && r.err.includes('Roof'), r.err);
});

test('a bad line is named by file and line, a bad model too', () => {
	const bad = file('bad.csv');
	writeFileSync(bad, readFileSync(back, 'utf8').replace(/\n[^\n]*\n/, '\nnonsense,r,1,-50,30\n'));
	const r = call('places', 'score', '--model', model, '--walk', `Floor=${bad}`);
	assert(r.code === 0 && r.err.includes(`${bad}:2: `), r.err);
	const broken = file('broken.model');
	writeFileSync(broken, readFileSync(model, 'utf8').replace('filter', 'filler'));
	const m = call('places', 'score', '--model', broken, ...walks);
	assert(m.code === 1 && m.err.includes(`${broken}:2: `), m.err);
});

test('wrong usage is told from failure', () => {
	assert(call('places', 'fit', ...walks).code === 2);
	assert(call('places', 'fit', '--walk', 'nothing', '--out', model).code === 2);
	assert(call('doors', 'score', '--from', '1', '--to', '1,2', back).code === 2);
	assert(call('doors', 'score', '--from', '1', back).code === 2);
	assert(call('doors', 'score', '--from', '1', '--to', '2', file('absent.csv')).code === 1);
});

test('a door is judged both ways, a line a file', () => {
	const rows = ['timestamp,antenna,rssi'];
	for (let i = 0; i < 100; i++) {
		const u = i / 99, antenna = 1 + (i % 2);
		rows.push(`${5 + u * 4},${antenna},${Math.round(-50 - 15 * (antenna === 1 ? u : 1 - u))}`);
	}
	writeFileSync(file('carry.csv'), rows.join('\n') + '\n');
	const carry = file('carry.csv');
	const there = call('doors', 'score', '--from', '1', '--to', '2', carry, carry);
	assert(there.code === 0 && there.lines.length === 2, there.err);
	assert(/ forward 0\.\d{3}$| forward 1\.000$/.test(there.lines[0]), there.lines[0]);
	assert(there.lines[0].startsWith(`${carry} `));
	const other = call('doors', 'score', '--to', '1', carry, '--from', '2');
	assert(other.lines[0] === there.lines[0].replace('forward', 'backward'), other.lines[0]);
});

await run(async () => rmSync(dir, { recursive: true }));
