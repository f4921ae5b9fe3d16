/** The pages about the preferences of sessions. */

import type { Crumb, Route } from '../../router/route.ts';
import { frameTexts } from '../../texts/frame.ts';
import { preferencesPaths } from './paths.ts';

// The texts of the pages come with them.
const { preferences: TITLE, editPreferences, edit } = frameTexts.navigation;
const AREA: Crumb = { text: TITLE, path: preferencesPaths.all };

export const routes: readonly Route[] = [
  {
    pattern: preferencesPaths.all,
    title: () => TITLE,
    crumbs: () => [AREA],
    layout: 'default',
    load: () => import('./PreferencesPage.tsx'),
  },
  {
    pattern: preferencesPaths.edit,
    title: () => editPreferences,
    crumbs: () => [AREA, { text: edit, path: preferencesPaths.edit }],
    layout: 'form',
    load: () => import('./EditPreferencesPage.tsx'),
  },
];
