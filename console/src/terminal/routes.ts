import type { Route } from '../router/route.ts';
import { terminalTexts } from '../texts/terminal.ts';

export const routes: readonly Route[] = [
  {
    pattern: '/terminal',
    title: () => terminalTexts.title,
    crumbs: () => [{ text: terminalTexts.title, path: '/terminal' }],
    layout: 'full',
    load: () => import('./TerminalPage.tsx'),
  },
];
