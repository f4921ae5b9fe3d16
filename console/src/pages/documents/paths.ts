/** The addresses of this area. */

import { pathOf } from '../../router/route.ts';

export function documentPath(name: string): string {
  return pathOf('/documents/:name', { name });
}
