// SPDX-License-Identifier: Apache-2.0
// A page whose script is fetched when it is first opened, so that the first load stays small however many
// pages there are.

import { signal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from './strings';
import { ErrorBox, Loading } from './ui';

export interface LazyPage<P> {
  (props: P): JSX.Element | null;
  /** Fetches the script without showing the page; a failure is told when the page is opened. */
  preload: () => Promise<void>;
}

/** A script that is there after this time needs no spinner. */
const PATIENCE_MS = 200;

function Waiting(): JSX.Element | null {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return long ? (
    <div class="page">
      <Loading />
    </div>
  ) : null;
}

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): LazyPage<P> {
  const state = signal<{ page?: ComponentType<P>; failed?: boolean }>({});
  let pending: Promise<void> | null = null;
  const preload = (): Promise<void> => {
    pending ??= load().then(
      (page) => {
        state.value = { page };
      },
      () => {
        pending = null;
        state.value = { failed: true };
      },
    );
    return pending;
  };
  const Page = (props: P): JSX.Element | null => {
    useEffect(() => void preload(), []);
    const { page: Loaded, failed } = state.value;
    if (Loaded) {
      return <Loaded {...props} />;
    }
    // After an upgrade of the server the old page's scripts are gone: only a new load knows the new names.
    return failed ? (
      <div class="page">
        <ErrorBox error={new Error(t.pageFailed)} retry={() => location.reload()} />
      </div>
    ) : (
      <Waiting />
    );
  };
  return Object.assign(Page, { preload });
}
