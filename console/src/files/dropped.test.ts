import { expect, test } from 'vitest';

import { lookInto } from './dropped.ts';

function file(name: string): FileSystemEntry {
  return { name, isFile: true, isDirectory: false, file: (found: (file: File) => void) => found(new File([name], name)) } as unknown as FileSystemEntry;
}

/** Given in pieces of two, as browsers give a hundred at a time. */
function directory(name: string, ...entries: FileSystemEntry[]): FileSystemEntry {
  const createReader = () => {
    const rest = [...entries];
    return { readEntries: (found: (entries: FileSystemEntry[]) => void) => found(rest.splice(0, 2)) };
  };
  return { name, isFile: false, isDirectory: true, createReader } as unknown as FileSystemEntry;
}

test('directories are looked into, to the end', async () => {
  const { files, directories, isCut } = await lookInto([file('a'), new File(['x'], 'b'), directory('d', file('1'), file('2'), file('3'), directory('e', file('4')), directory('empty'))]);
  expect(files.map(({ steps }) => steps.join('/'))).toEqual(['a', 'b', 'd/1', 'd/2', 'd/3', 'd/e/4']);
  expect(directories.map((steps) => steps.join('/'))).toEqual(['d', 'd/e', 'd/empty']);
  expect(isCut).toBe(false);
});

test('a name that would lead elsewhere is left out', async () => {
  const { files, directories } = await lookInto([file('..'), file('../../etc/passwd'), directory('..', file('a')), file('fine')]);
  expect([files.map(({ steps }) => steps), directories]).toEqual([[['fine']], []]);
});

test('more than anybody moves at once is cut', async () => {
  const many = directory('many', ...Array.from({ length: 12_000 }, (_, index) => file(String(index))));
  const { files, directories, isCut } = await lookInto([many]);
  expect([files.length + directories.length, isCut]).toEqual([10_000, true]);
});

test('a directory within itself has an end', async () => {
  const endless: FileSystemEntry = directory('d');
  (endless as unknown as { createReader: () => unknown }).createReader = () => {
    const rest = [endless];
    return { readEntries: (found: (entries: FileSystemEntry[]) => void) => found(rest.splice(0)) };
  };
  expect((await lookInto([endless])).directories).toHaveLength(64);
});
