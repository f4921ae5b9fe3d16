import '@cloudscape-design/global-styles/index.css';
import './app/page.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app/App.tsx';
import { startTheme } from './app/theme.ts';
import { followLinks } from './router/location.ts';
import { askSignIn } from './sign-in/state.ts';

const root = document.getElementById('root');
if (!root) {
  throw new Error('index.html has the root element');
}
startTheme();
followLinks(new AbortController().signal);
void askSignIn();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
