/** Texts of the search over all recordings. */

const withins: Readonly<Record<string, string>> = {
  '': 'Any time',
  '24': 'The last 24 hours',
  '168': 'The last 7 days',
  '720': 'The last 30 days',
  '8760': 'The last 365 days',
};

export const recordingsTexts = {
  title: 'Search recordings',
  description: 'What sessions showed, in the recordings that you may read. A time leads to its moment in the replay.',
  words: 'Words',
  wordsHelp: 'Lines that have all of them, each from its beginning. “In quotation marks”: as it stands.',
  wordsExample: 'systemctl restart',
  node: 'Node',
  owner: 'Owner',
  within: 'Started',
  withins,
  search: 'Search',
  loading: 'Searching the recordings',
  start: 'Search what sessions showed',
  startBody: 'Commands, their output, and who was where and why.',
  none: 'Nothing found',
  noneBody: 'No line of the recordings that you may read has all of these words.',
  count: (count: number, isAll: boolean) => `(${count}${isAll ? '' : '+'})`,
  incomplete: 'Not all recordings are in the index, or not wholly: what was just recorded is there soon.',
  line: 'Line',
  command: 'Command',
  started: 'Session started',
  facts: 'About the session:',
  absent: '–',
  more: 'Show more',
  replayAt: (sessionId: string, time: string) => `Replay of ${sessionId} at ${time}`,
} as const;
