/**
 * What a browser loads before somebody sees the list of nodes: the program, its frame, and that page. It becomes one chunk. Split by who
 * else uses what, it would be fifty files, and a tenth larger.
 */

import { resolve } from 'node:path';

import type { Plugin } from 'vite';

/** Where it begins, from the project's root. */
const FIRST_PAGE = ['index.html', 'src/app/SignedIn.tsx', 'src/pages/nodes/NodesPage.tsx'];

const modules = new Set<string>();

/** Whether a module belongs to the first page. Known when chunks are made. */
export function isOfFirstPage(id: string): boolean {
  return modules.has(id);
}

/** The build step. It walks what is imported statically, once everything is read. */
export function firstPage(): Plugin {
  let root = '';
  return {
    name: 'postern:first-page',
    apply: 'build',
    configResolved(config) {
      ({ root } = config);
    },
    buildEnd() {
      const open = FIRST_PAGE.map((path) => resolve(root, path));
      const missing = open.filter((id) => !this.getModuleInfo(id));
      if (missing.length > 0) {
        this.error(`no module ${missing.join(', ')}, which build/first-page.ts names`);
      }
      for (let id = open.pop(); id !== undefined; id = open.pop()) {
        const info = modules.has(id) ? null : this.getModuleInfo(id);
        if (info) {
          modules.add(id);
          open.push(...info.importedIds);
        }
      }
    },
  };
}
