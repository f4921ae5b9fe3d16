/** Paths of a node. Its own rules are POSIX's: `/` between names, and names are any bytes but `/` and NUL. */

import { isFileName } from './sftp/client.ts';

/** Source: Linux's `PATH_MAX`. */
const PATH_LENGTH_MAX = 4096;

export function join(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

/** The directory that something is in; that of `/` is `/`. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Every directory on the way to that one, the root first. */
export function stepsTo(directory: string): readonly { readonly name: string; readonly path: string }[] {
  const names = directory.split('/').filter((name) => name !== '');
  return names.map((name, index) => ({ name, path: `/${names.slice(0, index + 1).join('/')}` }));
}

/** What somebody typed as a directory, from the home directory on; nothing if it cannot be one. */
export function typedDirectory(text: string, home: string): string | undefined {
  const relative = text === '~' || text.startsWith('~/') ? text.slice(2) : text;
  const path = relative.startsWith('/') && relative === text ? text : join(home, relative);
  return path.length > PATH_LENGTH_MAX || path.includes('\0') ? undefined : path.replace(/(?<=.)\/+$/, '');
}

/** `report (1).txt`, `report (2).txt`, and so on. */
export function* otherNames(name: string): Generator<string> {
  const extension = /(?<=.)(?:\.tar)?\.[^.]+$/su.exec(name)?.[0] ?? '';
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 1; number < 1000; number += 1) {
    yield `${stem} (${number})${extension}`;
  }
}

/** The steps of a path below a directory that was dropped; nothing if one of them is no name. */
export function soundSteps(path: string): readonly string[] | undefined {
  const names = path.split('/');
  return names.every(isFileName) ? names : undefined;
}
