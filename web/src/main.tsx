// SPDX-License-Identifier: Apache-2.0

import { render } from 'preact';
import { App } from './app';
import { startRouter } from './router';
import { loadSession } from './session';
import { applyTheme, theme } from './theme';

applyTheme(theme.value);
startRouter();
void loadSession();
const root = document.getElementById('app');
if (root) {
  render(<App />, root);
}
