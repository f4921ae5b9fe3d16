/** Writes `third-party.json`: the packages in this build and in postern-server, with their licences. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Plugin } from 'vite';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly part: 'console' | 'server';
  /** Where its files are. */
  readonly directory: string;
}

/** The build step. */
export function licences(): Plugin {
  return {
    name: 'postern:licences',
    apply: 'build',
    generateBundle() {
      const packages = [...consolePackages([...this.getModuleIds()]), ...serverPackages((message) => this.warn(message))];
      this.emitFile({ type: 'asset', fileName: 'third-party.json', source: JSON.stringify(file(packages)) });
    },
  };
}

/** Many packages have one text, which is written once. */
function file(packages: readonly Package[]) {
  const texts: string[] = [];
  const listed = packages.map(({ directory, ...item }) => {
    const text = licenceText(directory);
    if (text === undefined) {
      return { ...item, text: null };
    }
    if (!texts.includes(text)) {
      texts.push(text);
    }
    return { ...item, text: texts.indexOf(text) };
  });
  return { packages: listed, texts };
}

function consolePackages(moduleIds: readonly string[]): Package[] {
  const found = moduleIds.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id.replace(/^\0/, ''))?.[0] ?? []);
  return [...new Set(found)].sort().flatMap((directory) => {
    const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>;
    return [{ name: String(name), version: String(version), licence: spdx(license), part: 'console' as const, directory }];
  });
}

interface Metadata {
  readonly packages: readonly {
    id: string;
    name: string;
    version: string;
    license: string | null;
    manifest_path: string;
    source: string | null;
  }[];
  readonly resolve: { readonly nodes: readonly { id: string; deps: { pkg: string; dep_kinds: { kind: string | null }[] }[] }[] };
}

/** What postern-server is linked with. Without Cargo the console can be built all the same. */
function serverPackages(warn: (message: string) => void): Package[] {
  let metadata: Metadata;
  try {
    const options = ['metadata', '--format-version', '1', '--locked', '--filter-platform', 'x86_64-unknown-linux-gnu'];
    const manifest = join(import.meta.dirname, '../../Cargo.toml');
    metadata = JSON.parse(
      execFileSync('cargo', [...options, '--manifest-path', manifest], { encoding: 'utf8', maxBuffer: 2 ** 28 }),
    ) as Metadata;
  } catch (error) {
    warn(`the licences of the server's crates are not listed: ${String(error)}`);
    return [];
  }
  const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
  const open = metadata.packages.filter(({ name }) => name === 'postern-server').map(({ id }) => id);
  const linked = new Set<string>();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (!linked.has(id)) {
      linked.add(id);
      const deps = nodes.get(id)?.deps ?? [];
      open.push(...deps.filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => kind === null)).map(({ pkg }) => pkg));
    }
  }
  return metadata.packages
    .filter(({ id, source }) => linked.has(id) && source !== null)
    .map(({ name, version, license, manifest_path }) => ({
      name,
      version,
      licence: license ?? '',
      part: 'server' as const,
      directory: dirname(manifest_path),
    }));
}

function licenceText(directory: string): string | undefined {
  const names = readdirSync(directory).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort();
  const texts = names.flatMap((name) => {
    try {
      return [readFileSync(join(directory, name), 'utf8').trim()];
    } catch {
      // A directory of licences.
      return [];
    }
  });
  return texts.length === 0 ? undefined : texts.join('\n\n');
}

function spdx(license: unknown): string {
  return typeof license === 'string' ? license : '';
}
