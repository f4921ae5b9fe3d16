/** The pages about documents. */

import type { Crumb, Route } from '../../router/route.ts';
import { documentsTexts } from '../../texts/documents.ts';
import { visibleLine } from '../../ui/visible.ts';
import { documentPath, documentsPaths, editDocumentPath } from './paths.ts';

const AREA: Crumb = { text: documentsTexts.title, path: documentsPaths.all };

export const routes: readonly Route[] = [
  {
    pattern: '/documents',
    title: () => documentsTexts.title,
    crumbs: () => [AREA],
    layout: 'table',
    load: () => import('./DocumentsPage.tsx'),
  },
  {
    pattern: documentsPaths.create,
    title: () => documentsTexts.create.title,
    crumbs: () => [AREA, { text: documentsTexts.create.title, path: documentsPaths.create }],
    layout: 'form',
    load: () => import('./NewDocumentPage.tsx'),
  },
  {
    pattern: '/documents/:name/edit',
    title: ({ name = '' }) => documentsTexts.edit.title(visibleLine(name)),
    crumbs: ({ name = '' }) => [
      AREA,
      { text: visibleLine(name), path: documentPath(name) },
      { text: documentsTexts.edit.crumb, path: editDocumentPath(name) },
    ],
    layout: 'form',
    load: () => import('./EditDocumentPage.tsx'),
  },
  {
    pattern: '/documents/:name',
    title: ({ name = '' }) => visibleLine(name),
    crumbs: ({ name = '' }) => [AREA, { text: visibleLine(name), path: documentPath(name) }],
    layout: 'default',
    load: () => import('./DocumentPage.tsx'),
  },
];
