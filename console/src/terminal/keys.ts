/** The keys that the console keeps for itself while the terminal has the focus. All others are the program's. */

export type Command = 'leave' | 'search' | 'copy' | 'paste' | 'next-tab' | 'larger' | 'smaller';

/** What a key of the console is, for people. */
export const KEYS: readonly (readonly [Command | 'font', string])[] = [
  ['leave', 'Ctrl+Shift+F6'],
  ['search', 'Ctrl+Shift+F'],
  ['copy', 'Ctrl+Shift+C'],
  ['paste', 'Ctrl+Shift+V'],
  ['next-tab', 'Ctrl+Shift+F7'],
  ['font', 'Ctrl+Shift+Up, Ctrl+Shift+Down'],
];

const COMMANDS: Readonly<Record<string, Command | undefined>> = {
  F6: 'leave',
  KeyF: 'search',
  KeyC: 'copy',
  KeyV: 'paste',
  F7: 'next-tab',
  ArrowUp: 'larger',
  ArrowDown: 'smaller',
};

/** The console's command of that key, if it is one. By the key's place, so that a layout does not matter. */
export function commandOf({ code, ctrlKey, shiftKey, altKey, metaKey }: KeyboardEvent): Command | undefined {
  return ctrlKey && shiftKey && !altKey && !metaKey ? COMMANDS[code] : undefined;
}
