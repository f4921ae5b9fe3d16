import type { Route } from '../../router/route.ts';
import { recordingsTexts } from '../../texts/recordings.ts';

export const routes: readonly Route[] = [
  {
    pattern: '/recordings',
    title: () => recordingsTexts.title,
    crumbs: () => [{ text: recordingsTexts.title, path: '/recordings' }],
    layout: 'table',
    load: () => import('./SearchPage.tsx'),
  },
];
