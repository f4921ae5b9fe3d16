/** The settings. */

import type { Route } from '../../router/route.ts';
import { settingsTexts } from '../../texts/settings.ts';

export const routes: readonly Route[] = [
  {
    pattern: '/settings',
    title: () => settingsTexts.title,
    crumbs: () => [{ text: settingsTexts.title, path: '/settings' }],
    layout: 'default',
    load: () => import('./SettingsPage.tsx'),
  },
];
