/** The pages about documents. */

import type { Crumb, Route } from '../../router/route.ts';
import { documentsTexts } from '../../texts/documents.ts';
import { visibleLine } from '../../ui/visible.ts';
import { documentPath } from './paths.ts';

const AREA: Crumb = { text: documentsTexts.title, path: '/documents' };

export const routes: readonly Route[] = [
  {
    pattern: '/documents',
    title: () => documentsTexts.title,
    crumbs: () => [AREA],
    layout: 'table',
    load: () => import('./DocumentsPage.tsx'),
  },
  {
    pattern: '/documents/:name',
    title: ({ name = '' }) => visibleLine(name),
    crumbs: ({ name = '' }) => [AREA, { text: visibleLine(name), path: documentPath(name) }],
    layout: 'default',
    load: () => import('./DocumentPage.tsx'),
  },
];
