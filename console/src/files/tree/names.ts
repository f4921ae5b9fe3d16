/** What things of a node are called in an archive, for any system that unpacks it. */

import { downloadName } from '../download-name.ts';
import { otherNames } from '../paths.ts';
import type { Found } from './walk.ts';

/** A name as any system can have it. Unlike a file that is downloaded by itself it keeps the dot that hides it: it is in its directory. */
export function archiveName(name: string): string {
  return (name.startsWith('.') ? '.' : '') + downloadName(name);
}

/** Gives everything its place in the archive, none of them twice. */
export class ArchiveNames {
  readonly #directories = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** Its path in the archive; that of its directory must have been asked for. */
  of({ name, path, kind, parent }: Pick<Found, 'name' | 'path' | 'kind' | 'parent'>): string {
    const above = parent === undefined ? '' : `${this.#directories.get(parent) ?? ''}/`;
    const place = above + this.#free(above, archiveName(name));
    this.#taken.add(place);
    if (kind === 'directory') {
      this.#directories.set(path, place);
    }
    return place;
  }

  #free(above: string, name: string): string {
    for (const candidate of [name, ...otherNames(name)]) {
      if (!this.#taken.has(above + candidate)) {
        return candidate;
      }
    }
    return crypto.randomUUID();
  }
}
