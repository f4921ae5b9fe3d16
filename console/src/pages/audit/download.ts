/** Gives the reader a file that the page has made. */

export function download(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun with the click; the browser holds what it needs.
  URL.revokeObjectURL(url);
}
