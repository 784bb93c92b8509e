// SPDX-License-Identifier: Apache-2.0

import { render } from 'preact';
import { App } from './app';
import { segments, startRouter } from './router';
import { preloadPage } from './routes';
import { loadSession } from './session';
import { applyTheme, theme } from './theme';

applyTheme(theme.value);
startRouter();
void loadSession();
preloadPage(segments.value);
const root = document.getElementById('app');
if (root) {
  render(<App />, root);
}
