/** What somebody drops or chooses to upload. Light on purpose: what is done with it is loaded later. */

/** Files, and directories that are not looked into yet. */
export type Carried = readonly (FileSystemEntry | File)[];

/** Takes what is dropped, at once: the browser says it only while it tells of the drop. */
export function carriedBy(transfer: DataTransfer): Carried {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  return items.flatMap((item) => item.webkitGetAsEntry() ?? item.getAsFile() ?? []);
}
