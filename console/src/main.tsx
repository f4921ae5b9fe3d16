import '@cloudscape-design/global-styles/index.css';
import './app/page.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app/App.tsx';
import { startTheme } from './app/theme.ts';
import { followLinks } from './router/location.ts';
import { askSignIn, startOver } from './sign-in/state.ts';

/** Longer, and the page is drawn without. */
const FONTS_MS = 500;

const root = document.getElementById('root');
if (!root) {
  throw new Error('index.html has the root element');
}
startTheme();
followLinks(new AbortController().signal);
startOver();
void askSignIn();
void Promise.race([fonts(), wait(FONTS_MS)]).then(() =>
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  ),
);

/** The weights that every page has. The top bar measures its texts when it is drawn, so they had better be there. */
function fonts(): Promise<unknown> {
  return Promise.allSettled(['400', '700'].map((weight) => document.fonts.load(`${weight} 1rem "Open Sans"`)));
}

function wait(duration_ms: number): Promise<void> {
  return new Promise((resolve) => {
    window.setTimeout(resolve, duration_ms);
  });
}
