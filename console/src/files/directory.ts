/** What a directory of a node holds, as it is shown. */

import { join } from './paths.ts';
import { type Attributes, type FileType, typeOf } from './sftp/attributes.ts';
import type { SftpClient } from './sftp/client.ts';
import { SftpError } from './sftp/failure.ts';

/** Links that are looked behind, to tell those that lead to directories. */
const LINKS_MAX = 200;

export interface Row {
  readonly name: string;
  readonly path: string;
  readonly kind: FileType;
  /** What it is where a link leads; of anything else what it is. */
  readonly leadsTo: FileType;
  readonly attributes: Attributes;
}

export interface Directory {
  readonly path: string;
  readonly home: string;
  readonly rows: readonly Row[];
  readonly isCut: boolean;
  /** Entries whose names no file can have. */
  readonly refused: number;
}

/** Reads a directory; without a path that of the user. */
export async function readDirectory(client: SftpClient, home: string, path: string | undefined, signal: AbortSignal): Promise<Directory> {
  const whole = await client.realPath(path ?? home);
  const { entries, isCut, refused } = await client.list(whole, signal);
  const rows = entries.map(({ name, attributes }): Row => {
    const kind = typeOf(attributes);
    return { name, path: join(whole, name), kind, leadsTo: kind, attributes };
  });
  return { path: whole, home, rows: await lookBehindLinks(client, rows), isCut, refused };
}

/** Whether that is a directory, where links lead. */
export async function isDirectory(client: SftpClient, path: string): Promise<boolean> {
  try {
    return typeOf(await client.stat(path)) === 'directory';
  } catch (error) {
    if (error instanceof SftpError && error.failure.kind === 'refused') {
      return false;
    }
    throw error;
  }
}

async function lookBehindLinks(client: SftpClient, rows: readonly Row[]): Promise<readonly Row[]> {
  const links = new Set(rows.filter(({ kind }) => kind === 'link').slice(0, LINKS_MAX));
  const looked = (row: Row) => isDirectory(client, row.path).then((leads): Row => ({ ...row, leadsTo: leads ? 'directory' : 'file' }));
  return Promise.all(rows.map((row) => (links.has(row) ? looked(row) : row)));
}
