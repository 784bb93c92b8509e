// SPDX-License-Identifier: Apache-2.0
// How a page gets its data: fetched when it opens or its key changes, again after a gap in the event stream.

import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type LiveEvents, on } from './live';
import { type Fetch, PagedList } from './paged';

export interface Fetched<T> {
  data: T | null;
  error: unknown;
  loading: boolean;
  reload: () => void;
  set: (change: (old: T) => T) => void;
}

/** Fetches when `key` changes; an answer that comes too late is dropped. */
export function useFetched<T>(key: string, fetcher: () => Promise<T>): Fetched<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: unknown; loading: boolean }>({
    key,
    data: null,
    error: null,
    loading: true,
  });
  const turn = useRef(0);
  const latest = useRef(fetcher);
  latest.current = fetcher;
  const reload = useCallback(() => {
    const mine = ++turn.current;
    setState((s) => ({ key, data: s.key === key ? s.data : null, error: null, loading: true }));
    latest.current().then(
      (data) => mine === turn.current && setState({ key, data, error: null, loading: false }),
      (error: unknown) => mine === turn.current && setState((s) => ({ ...s, error, loading: false })),
    );
  }, [key]);
  useEffect(() => {
    reload();
    return () => {
      turn.current++;
    };
  }, [reload]);
  useEffect(() => on('reset', reload), [reload]);
  const set = useCallback((change: (old: T) => T) => {
    setState((s) => (s.data === null ? s : { ...s, data: change(s.data) }));
  }, []);
  return { data: state.key === key ? state.data : null, error: state.error, loading: state.loading, reload, set };
}

/** A long list, read anew when its key changes or events were missed. */
export function usePaged<T>(key: string, fetcher: Fetch<T>): PagedList<T> {
  const latest = useRef(fetcher);
  latest.current = fetcher;
  const list = useMemo(() => new PagedList<T>((...a) => latest.current(...a)), []);
  useEffect(() => {
    list.reload();
    return () => list.stop();
  }, [key]);
  useEffect(() => on('reset', () => list.reload()), []);
  return list;
}

/** Listens to one kind of live event while the component is shown. */
export function useLive<K extends keyof LiveEvents>(kind: K, f: (data: LiveEvents[K]) => void): void {
  const latest = useRef(f);
  latest.current = f;
  useEffect(() => on(kind, (d) => latest.current(d)), [kind]);
}

/** Runs `f` soon, but not more often than every `ms`; for refetching on bursts of events. */
export function useThrottled(f: () => void, ms: number): () => void {
  const latest = useRef(f);
  latest.current = f;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const last = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    if (timer.current !== undefined) {
      return;
    }
    const wait = Math.max(0, last.current + ms - Date.now());
    timer.current = setTimeout(() => {
      timer.current = undefined;
      last.current = Date.now();
      latest.current();
    }, wait);
  }, [ms]);
}

/** True while the window is at least this wide. */
export function useWide(min: number): boolean {
  const query = `(min-width: ${min}px)`;
  const [wide, setWide] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const m = matchMedia(query);
    const f = (): void => setWide(m.matches);
    m.addEventListener('change', f);
    f();
    return () => m.removeEventListener('change', f);
  }, [query]);
  return wide;
}

/** Runs `f` now and then while the page is looked at: for what changes by time alone, without an event. */
export function useEvery(ms: number, f: () => void): void {
  const latest = useRef(f);
  latest.current = f;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') {
        latest.current();
      }
    }, ms);
    return () => clearInterval(timer);
  }, [ms]);
}
