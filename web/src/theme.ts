// SPDX-License-Identifier: Apache-2.0
// Light, dark, or what the system says. The choice is kept in this browser only.

import { signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
const KEY = 'gondola.theme';

function stored(): Theme {
  try {
    const v = localStorage.getItem(KEY);
    return v === 'light' || v === 'dark' ? v : 'auto';
  } catch {
    return 'auto';
  }
}

export const theme = signal<Theme>(stored());

export function applyTheme(t: Theme): void {
  theme.value = t;
  document.documentElement.dataset['theme'] = t;
  try {
    localStorage.setItem(KEY, t);
  } catch {
    // private mode: it lasts as long as the page
  }
}
