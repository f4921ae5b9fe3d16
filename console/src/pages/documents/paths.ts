/** The addresses of this area. */

import { pathOf } from '../../router/route.ts';

export const documentsPaths = {
  all: '/documents',
  /** Two segments, so that no name of a document is taken. */
  create: '/documents/create/session',
} as const;

export function documentPath(name: string): string {
  return pathOf('/documents/:name', { name });
}

export function editDocumentPath(name: string): string {
  return pathOf('/documents/:name/edit', { name });
}
