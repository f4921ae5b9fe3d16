/** Gives the browser a file to save that the page has made. */
export function download(content: BlobPart, type: string, fileName: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  // The download has begun with the click; the browser holds what it needs.
  URL.revokeObjectURL(url);
}
