// SPDX-License-Identifier: Apache-2.0
// A small disk of its own for a test: it can be filled, and it can go read-only under a running program
// the way disks do, after an error. Needs root and loop devices; make() says whether it could.
import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { basename } from 'node:path';

const quiet = { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' };

export class Disk {
	/** @param path where it is mounted; image: file that holds it; megabytes: its size. */
	constructor(path, image, megabytes) {
		Object.assign(this, { path, image, megabytes, mounted: false });
	}

	make() {
		try {
			mkdirSync(this.path, { recursive: true, mode: 0o700 });
			writeFileSync(this.image, '');
			truncateSync(this.image, this.megabytes << 20);
			execFileSync('mkfs.ext4', ['-q', '-m', '0', '-O', '^has_journal', this.image], quiet);
			this.mount();
			execFileSync('chmod', ['700', this.path], quiet);
			rmSync(`${this.path}/lost+found`, { recursive: true });
			writeFileSync(`${this.#errors()}`, '', { flag: 'a' });
			return true;
		} catch {
			this.unmount();
			return false;
		}
	}

	mount() {
		execFileSync('mount', ['-o', 'loop,errors=remount-ro', this.image, this.path], quiet);
		this.mounted = true;
	}

	#errors() {
		return `/sys/fs/ext4/${basename(execFileSync('findmnt', ['-no', 'SOURCE', this.path], quiet).trim())}/trigger_fs_error`;
	}

	/** The disk has an error: from now on whoever writes is refused, also through files already open. */
	breakDown() {
		writeFileSync(this.#errors(), 'test');
	}

	/** What a person does about it; nobody may use the disk meanwhile. */
	repair() {
		this.unmount();
		try {
			execFileSync('e2fsck', ['-p', this.image], quiet);
		} catch (e) {
			if (e.status !== 1) throw e; /* 1: errors were corrected */
		}
		this.mount();
	}

	/** Leaves not a block. */
	fill() {
		const fd = openSync(`${this.path}/ballast`, 'w'), block = Buffer.alloc(65536, 1);
		try {
			for (let size = block.length; size >= 512; ) {
				try {
					writeSync(fd, block, 0, size);
				} catch (e) {
					if (e.code !== 'ENOSPC') throw e;
					size >>= 1;
				}
			}
			fsyncSync(fd);
		} finally {
			closeSync(fd);
		}
	}

	empty() {
		rmSync(`${this.path}/ballast`, { force: true });
	}

	unmount() {
		if (this.mounted) execFileSync('umount', [this.path], quiet);
		this.mounted = false;
	}

	/** For clean-up after a failure: somebody may still be there. */
	letGo() {
		try {
			if (this.mounted) execFileSync('umount', ['-l', this.path], quiet);
		} catch {
			/* gone already */
		}
		this.mounted = false;
	}
}
