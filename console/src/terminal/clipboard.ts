/** What a user copies from a screen. */

/** Copies a selection. Where nothing is selected the clipboard keeps what it has. */
export async function copySelection(selection: string): Promise<void> {
  if (selection !== '') {
    await navigator.clipboard.writeText(selection);
  }
}
