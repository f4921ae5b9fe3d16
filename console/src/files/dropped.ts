/** What was dropped or chosen: files, with the directories that they were in. */

import type { Carried } from '../terminal/carried.ts';
import { soundSteps } from './paths.ts';

/** Files and directories that are looked at in one drop. Somebody who moves more packs them. */
const FOUND_MAX = 10_000;
/** Nobody nests deeper on purpose. */
const DEPTH_MAX = 64;

/** A file, and where it goes below the directory that it is uploaded into. */
export interface Found {
  readonly steps: readonly string[];
  readonly file: File;
}

export interface Dropped {
  readonly files: readonly Found[];
  /** Directories below, those that hold others first. */
  readonly directories: readonly (readonly string[])[];
  /** Whether there was more than is looked at. */
  readonly isCut: boolean;
}

/** Looks into the directories. */
export async function lookInto(carried: Carried): Promise<Dropped> {
  const files: Found[] = [];
  const directories: (readonly string[])[] = [];
  const open: { readonly entry: FileSystemEntry | File; readonly above: readonly string[] }[] = carried.map((entry) => ({ entry, above: [] }));
  for (let next = open.shift(); next; next = open.shift()) {
    if (files.length + directories.length >= FOUND_MAX) {
      return { files, directories, isCut: true };
    }
    const { entry, above } = next;
    const steps = [...above, entry.name];
    // A name that no file of a node can have is no file's of this computer either.
    if (soundSteps(steps.join('/'))?.length !== steps.length) {
      continue;
    }
    if (entry instanceof File) {
      files.push({ steps, file: entry });
    } else if (entry.isFile) {
      files.push({ steps, file: await fileOf(entry as FileSystemFileEntry) });
    } else if (steps.length <= DEPTH_MAX) {
      directories.push(steps);
      open.push(...(await entriesOf(entry as FileSystemDirectoryEntry)).map((entry) => ({ entry, above: steps })));
    }
  }
  return { files, directories, isCut: false };
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A browser gives a directory in pieces; after the last comes an empty one. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (piece.length === 0 || all.length > FOUND_MAX) {
      return all;
    }
    all.push(...piece);
  }
}
