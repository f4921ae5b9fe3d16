/** Texts of what goes wrong. The server's own messages are shown as they come. */
export const problemTexts = {
  unreachable: 'The server cannot be reached',
  unreachableBody: 'No answer came. Look at your connection, and whether postern-server runs.',
  denied: 'You are not allowed to do this',
  failed: 'That did not work',
  retry: 'Try again',
  code: (code: string) => `Error code: ${code}`,
} as const;
