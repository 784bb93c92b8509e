// SPDX-License-Identifier: Apache-2.0
// A long list behind a cursor. Pages are fetched in order, because a cursor is only known once the page
// before it has been read; their items are dropped again when the list looks elsewhere, and fetched by
// their remembered cursor when it comes back. Memory stays bounded whatever the length.

import { signal } from '@preact/signals';
import type { Page } from './types';

export type Fetch<T> = (after: string | null, limit: number, signal: AbortSignal) => Promise<Page<T>>;

interface Chunk<T> {
  start: number;
  length: number;
  limit: number;
  after: string | null;
  items: T[] | null;
  used: number;
}

const KEEP_CHUNKS = 12;

export class PagedList<T> {
  /** Changes with everything that a view must draw again. */
  readonly version = signal(0);
  readonly loading = signal(true);
  readonly error = signal<unknown>(null);
  private chunks: Chunk<T>[] = [];
  private next: string | null = null;
  private ended = false;
  private known: number | null = null;
  private target = 0;
  private busy = false;
  private tick = 0;
  private abort = new AbortController();

  constructor(
    private readonly fetchPage: Fetch<T>,
    private readonly first = 100,
    private readonly later = 500,
  ) {}

  /** Rows there are as far as we know: the server's total, or what has been read. */
  get length(): number {
    const read = this.read;
    return this.ended ? read : Math.max(this.known ?? 0, read);
  }

  /** Rows that have been read so far. */
  get read(): number {
    const last = this.chunks.at(-1);
    return last ? last.start + last.length : 0;
  }

  get complete(): boolean {
    return this.ended;
  }

  /** True when there is certainly nothing. */
  get empty(): boolean {
    return this.ended && this.read === 0 && !this.loading.value && !this.error.value;
  }

  /** True when `length` is the real number of rows. */
  get exact(): boolean {
    return this.ended || this.known !== null;
  }

  at(index: number): T | undefined {
    const c = this.chunkOf(index);
    return c?.items?.[index - c.start];
  }

  private chunkOf(index: number): Chunk<T> | undefined {
    let lo = 0;
    let hi = this.chunks.length - 1;
    while (lo <= hi) {
      const mid = (lo + hi) >> 1;
      const c = this.chunks[mid] as Chunk<T>;
      if (index < c.start) {
        hi = mid - 1;
      } else if (index >= c.start + c.length) {
        lo = mid + 1;
      } else {
        return c;
      }
    }
    return undefined;
  }

  /** Forgets everything and reads the beginning; what is shown stays until the first page is there. */
  reload(): void {
    this.abort.abort();
    this.abort = new AbortController();
    this.loading.value = true;
    this.error.value = null;
    this.busy = true;
    const signalOf = this.abort.signal;
    this.fetchPage(null, this.first, signalOf).then(
      (page) => {
        if (!signalOf.aborted) {
          this.chunks = [];
          this.ended = false;
          this.busy = false;
          this.take(null, this.first, page);
          void this.ensure(this.target, this.target);
        }
      },
      (e: unknown) => this.failed(e, signalOf),
    );
  }

  stop(): void {
    this.abort.abort();
  }

  private take(after: string | null, limit: number, page: Page<T>): void {
    this.chunks.push({ start: this.read, length: page.items.length, limit, after, items: page.items, used: ++this.tick });
    this.next = page.next;
    this.ended = page.next === null;
    if (typeof page.total === 'number') {
      this.known = page.total;
    } else if (this.ended || after === null) {
      this.known = null;
    }
    this.loading.value = false;
    this.error.value = null;
    this.version.value++;
  }

  private failed(e: unknown, signalOf: AbortSignal): void {
    if (signalOf.aborted) {
      return;
    }
    this.busy = false;
    this.loading.value = false;
    this.error.value = e;
    this.version.value++;
  }

  /** Tells which rows are in view; reads what is missing. */
  async ensure(from: number, to: number): Promise<void> {
    this.target = to;
    if (this.busy || this.chunks.length === 0 || this.error.value) {
      return;
    }
    this.busy = true;
    const signalOf = this.abort.signal;
    try {
      while (!this.ended && this.read <= this.target) {
        const after = this.next;
        const page = await this.fetchPage(after, this.later, signalOf);
        this.take(after, this.later, page);
        this.trim();
      }
      for (const c of this.chunks) {
        if (c.start <= to && c.start + c.length > from) {
          c.used = ++this.tick;
          if (!c.items) {
            const page = await this.fetchPage(c.after, c.limit, signalOf);
            c.items = page.items.slice(0, c.length);
            this.version.value++;
          }
        }
      }
      this.trim();
      this.busy = false;
    } catch (e) {
      this.failed(e, signalOf);
    }
  }

  private trim(): void {
    const held = this.chunks.filter((c) => c.items);
    held.sort((a, b) => a.used - b.used);
    for (const c of held.slice(0, Math.max(0, held.length - KEEP_CHUNKS))) {
      c.items = null;
    }
  }

  retry(): void {
    this.error.value = null;
    if (this.chunks.length === 0) {
      this.reload();
    } else {
      void this.ensure(this.target, this.target);
    }
  }

  /** Replaces the rows for which `change` returns a new value; true if there was one. */
  patch(change: (item: T) => T | null): boolean {
    let hit = false;
    for (const c of this.chunks) {
      c.items?.forEach((item, i) => {
        const changed = change(item);
        if (changed && c.items) {
          c.items[i] = changed;
          hit = true;
        }
      });
    }
    if (hit) {
      this.version.value++;
    }
    return hit;
  }

  /** Every row held in memory, in order. */
  held(): T[] {
    return this.chunks.flatMap((c) => c.items ?? []);
  }
}
