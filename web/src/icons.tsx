// SPDX-License-Identifier: Apache-2.0
// Our own small line icons, drawn on a 24 x 24 grid.

import type { JSX } from 'preact';

const PATHS = {
  tag: 'M3 12V4h8l10 10-8 8L3 12Zm4.5-3.5h.01',
  label: 'M3 6h18v12H3zM7 10h6M7 14h3M16 10v4',
  boxes: 'M12 3l8 4.5v9L12 21l-8-4.5v-9L12 3Zm0 9l8-4.5M12 12v9M12 12L4 7.5',
  antenna: 'M12 14v7M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM7.8 16.2a6 6 0 0 1 0-8.4M16.2 7.8a6 6 0 0 1 0 8.4M5 19A10 10 0 0 1 5 5M19 5a10 10 0 0 1 0 14',
  users: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM2 21a7 7 0 0 1 14 0M16 3.5a4 4 0 0 1 0 7M18 14.5a7 7 0 0 1 4 6.5',
  list: 'M8 6h13M8 12h13M8 18h13M3.5 6h.01M3.5 12h.01M3.5 18h.01',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  percent: 'M6.500 9a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM17.500 20a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM19 5L5 19',
  sine: 'M2 12c3-9 6-9 10 0s7 9 10 0',
  waves: 'M3 19h18M5 19v-4M10 19v-7M15 19V9M20 19V5',
  differ: 'M4 9h11M4 9l4-4M4 9l4 4M20 15H9M20 15l-4-4M20 15l-4 4',
  plan: 'M3 4h18v16H3zM3 11h8M11 4v11M11 20v-1M15 15h6',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 5l12 7-12 7V5Z',
  undo: 'M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3',
  calendar: 'M4 6h16v14H4zM4 10h16M8 3v4M16 3v4',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM21 21l-5-5',
  check: 'M5 13l4 4L19 7',
  double: 'M2 13l4 4L15 7M11 16l1 1L22 7',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3 2',
  send: 'M4 12h14M12 6l6 6-6 6',
  warn: 'M12 4L2.5 20h19L12 4Zm0 6v4.5M12 17.5h.01',
  cross: 'M6 6l12 12M18 6L6 18',
  link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1',
  unlink: 'M10 14a4 4 0 0 0 3 1.5M16 14.500l3-3a4 4 0 0 0-6-6l-1 1M8 9.500l-3 3a4 4 0 0 0 6 6l1-1M4 4l16 16',
  upload: 'M12 16V4M7 9l5-5 5 5M4 20h16',
  plus: 'M12 5v14M5 12h14',
  edit: 'M4 20h4L19 9l-4-4L4 16v4ZM13 7l4 4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500L19 19M19 5l-1.500 1.500M6.500 17.500L5 19',
  moon: 'M20 14A8.500 8.500 0 0 1 10 4a8 8 0 1 0 10 10Z',
  auto: 'M12 3a9 9 0 1 0 0 18V3ZM12 3a9 9 0 0 1 0 18',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  rows: 'M4 6h16M4 12h16M4 18h16',
  scan: 'M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M8 8v8M12 8v8M16 8v8',
  place: 'M12 21s7-6.500 7-12a7 7 0 0 0-14 0c0 5.500 7 12 7 12ZM12 11a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  unknown: 'M9 9a3 3 0 1 1 4 2.800c-.700.300-1 .900-1 1.700M12 17h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
  out: 'M14 4h5v16h-5M4 12h10M10 8l4 4-4 4',
  key: 'M8 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 12h9M18 12v3',
  refresh: 'M20 11a8 8 0 0 0-14-4.500L4 8M4 4v4h4M4 13a8 8 0 0 0 14 4.500L20 16M20 20v-4h-4',
  redo: 'M15 14l5-5-5-5M20 9H10a6 6 0 0 0 0 12h3',
  bulb: 'M9 18h6M10 21h4M8 15a6 6 0 1 1 8 0c-.700.600-1 1.200-1 2H9c0-.800-.300-1.400-1-2Z',
  swap: 'M7 4L3 8l4 4M3 8h14M17 12l4 4-4 4M21 16H7',
  sound: 'M4 9v6h4l5 4V5L8 9H4ZM16 9a4 4 0 0 1 0 6M18.500 6.500a8 8 0 0 1 0 11',
  off: 'M12 4v8M7 6.500a8 8 0 1 0 10 0',
  gondola: 'M4 4v16M20 4v16M4 8h16M4 14h16M7 8V5M12 8V6M16 14v-3M9 14v-2M4 20h16',
} as const;

export type IconName = keyof typeof PATHS;

/** Decorative: the text next to it says the same. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
