/** Fails a build whose first page is too heavy: what a browser loads before somebody sees the list of nodes. */

import { readFile, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import type { Plugin } from 'vite';

/** KiB, compressed by Brotli. */
const LIMIT_KIB = 350;
/** The program, which has the first page in a chunk of its own (`first-page.ts`). */
const ENTRY = 'index.html';
/** The weights that every page has. */
const FONTS = /^open-sans-(?:400|700)-[\w-]{8}\.woff2$/;

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
}

/** The build step. It reads Vite's manifest and the files that `compress` wrote. */
export function budget(): Plugin {
  let directory = '';
  return {
    name: 'postern:budget',
    apply: 'build',
    configResolved(config) {
      directory = resolve(config.root, config.build.outDir);
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const manifest = JSON.parse(await readFile(join(directory, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;
        const names = await readdir(join(directory, 'assets'));
        const weights = names.filter((name) => FONTS.test(name)).map((name) => `assets/${name}`);
        const files = [...reachable(manifest, ENTRY), ...weights];
        const sizes = await Promise.all(files.map((file) => compressedBytes(join(directory, file))));
        const totalKib = sizes.reduce((sum, bytes) => sum + bytes, 0) / 1024;
        // Not by Vite's logger: every build says it, also one that is quiet.
        process.stdout.write(`console: the first page is ${totalKib.toFixed(1)} KiB compressed, of ${LIMIT_KIB}\n`);
        if (totalKib > LIMIT_KIB) {
          this.error('the first page is too heavy; load what it does not need on demand');
        }
      },
    },
  };
}

/** The files of an entry and of all that it imports statically. */
function reachable(manifest: Record<string, Chunk>, entry: string): Set<string> {
  const files = new Set<string>();
  const seen = new Set<string>();
  const open = [entry];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (seen.has(key)) {
      continue;
    }
    seen.add(key);
    const chunk = manifest[key];
    if (!chunk) {
      throw new Error(`the build has no chunk of ${key}`);
    }
    files.add(chunk.file);
    chunk.css?.forEach((file) => files.add(file));
    open.push(...(chunk.imports ?? []));
  }
  return files;
}

async function compressedBytes(path: string): Promise<number> {
  const compressed = await stat(`${path}.br`).catch(() => stat(path));
  return compressed.size;
}
