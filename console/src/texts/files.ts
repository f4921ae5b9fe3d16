/** Texts of a node's files beside its terminal. Names and words of nodes are shown as they come, made visible. */

import { bytes } from './bytes.ts';
import type { RefusalStatus } from '../files/sftp/failure.ts';
import type { TransferFailure } from '../files/transfer/failure.ts';

const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;

const REFUSALS: Readonly<Record<RefusalStatus, string>> = {
  'end-of-file': 'The node says that there is nothing more.',
  'no-such-file': 'There is no such file or directory.',
  'permission-denied': 'The user that the session runs as may not do that.',
  failure: 'The node could not do that.',
  'bad-message': 'The node did not understand the request.',
  'no-connection': 'The node has lost its connection.',
  'connection-lost': 'The node has lost its connection.',
  unsupported: 'The node cannot do that.',
  unknown: 'The node refused.',
};

const TRANSFERS: Readonly<Record<TransferFailure, string>> = {
  exists: 'Something has that name already.',
  'is-directory': 'A directory has that name; a file cannot take its place.',
  'no-file': 'This is no ordinary file: it has no end that could be reached.',
  digest: 'The checksum of the node differs. The file was changed meanwhile, or damaged; nothing was kept of it.',
  changed: 'The file was changed while it was downloaded; nothing was kept of it.',
  'local-read': 'The browser cannot read the file on this computer. It may have been moved or changed.',
  'local-write': 'The browser cannot write the file on this computer.',
  'too-large': 'This browser must hold a download in memory, at most 512 MiB. Use “postern cp”, or a browser that can save to a place that you choose, such as Chrome or Edge.',
  'too-many': 'There is more in it than the 50,000 files and directories that are looked through at once. Use “postern cp”, or a command in the terminal.',
  moved: 'A link or something else has taken the place of a directory meanwhile. Nothing beyond it was touched.',
  unnameable: 'A directory holds entries whose names no file can have. Use a command in the terminal.',
};

export const filesTexts = {
  title: (target: string) => `Files of ${target}`,
  close: 'Close the files',
  own: 'Files are reached by a session of its own. It ends with this terminal, or after ten minutes without use.',
  recorded: 'The names of files that are opened or changed are on its record.',
  ownSession: 'Show the session',
  loading: 'Opening the files of the node',
  loadingDirectory: 'Reading the directory',
  lost: 'The connection is lost. Connecting again; transfers go on then.',
  ended: {
    unused: 'The session with the files ended because nobody used it.',
    ended: (reason: string) => `The session with the files has ended${reason ? `: ${reason}` : '.'}`,
    violation: (what: string) => `The node answered with something that is not SFTP${what ? `: ${what}` : '.'}`,
    unreachable: 'The server could not be reached for too long.',
    refused: 'The server refused to go on with the session.',
    unsupported: 'The node asked for something that a browser cannot do.',
    left: 'The session was left.',
  },
  again: 'Open again',
  refused: {
    header: 'The files cannot be opened',
    needs: 'Files need ssm:StartSession on the node and on the document Postern-StartSFTPSession.',
    agent: 'Files need postern-agent on the node: amazon-ssm-agent has no file transfer. What the terminal can do it still can.',
  },

  refusals: REFUSALS,
  said: (words: string) => `The node says: ${words}`,
  transferFailures: TRANSFERS,

  pathOf: (path: string) => `Directory ${path}`,
  root: 'Root directory',
  home: 'Home directory',
  up: 'To the directory above',
  list: 'Files and directories',
  things: 'files',
  name: 'Name',
  size: 'Size',
  modified: 'Modified',
  mode: 'Mode',
  bytes,
  directory: 'directory',
  link: 'link',
  other: 'special file',
  /** What a screen reader says before the name. */
  kinds: { directory: 'Directory', file: 'File', link: 'Link', other: 'Special file' },
  openDirectory: (name: string) => `Open ${name}`,
  empty: 'The directory is empty',
  dropHint: 'Drop files here to upload them.',
  cut: (shown: number) => `Only the first ${shown} entries are shown.`,
  hidden: (number: number) => `${count(number, 'entry has a name', 'entries have names')} that no file can have, and ${number === 1 ? 'is' : 'are'} not shown.`,
  selection: 'Selection',
  selectAll: 'Select all',
  select: (name: string) => `Select ${name}`,
  filter: 'Find files',
  refresh: 'Refresh',
  actions: 'More actions',
  upload: 'Upload',
  download: 'Download',
  newDirectory: 'New directory',
  rename: 'Rename',
  remove: 'Delete',

  nameField: 'Name',
  nameUnfit: 'A name has no slash, and is not “.” or “..”.',
  create: 'Create',
  renameOf: (name: string) => `Rename ${name}`,
  removal: {
    header: (number: number, isCounted: boolean) => (isCounted ? `Delete ${count(number, 'entry', 'entries')}?` : 'Delete?'),
    body: (names: string, more: number) => `${names}${more > 0 ? ` and ${more} more` : ''} will be gone for good. Links are deleted, not what they lead to.`,
    looking: (number: number) => `Looking what is in it: ${count(number, 'entry', 'entries')} so far`,
    within: (others: number, directories: number, size: string) =>
      `That is ${count(directories, 'directory', 'directories')} and ${count(others, 'file or other entry', 'files and other entries')} in all, ${size}. What comes meanwhile stays.`,
    progress: (removed: number, all: number) => `${removed} of ${all} deleted`,
    done: (number: number) => `${count(number, 'entry was', 'entries were')} deleted.`,
    stopped: (removed: number, all: number) => `Stopped: ${removed} of ${count(all, 'entry', 'entries')} were deleted.`,
  },
  cancel: 'Cancel',

  uploadDialog: {
    header: 'Upload files',
    looking: 'Looking at what was dropped',
    what: (files: number, directories: number, size: string) =>
      `${count(files, 'file', 'files')}${directories > 0 ? ` in ${count(directories, 'directory', 'directories')}` : ''}, ${size}`,
    nothing: 'There is no file in what was dropped.',
    unreadable: 'The browser cannot read what was dropped.',
    cut: 'There is more than the 10,000 files and directories that are uploaded at once. Pack them, or upload them by parts.',
    into: (target: string) => `Directory on ${target}`,
    intoHint: 'From the home directory on, or a whole path.',
    bySaying: 'The program in the terminal says that it is in this directory.',
    notThere: 'There is no such directory on the node.',
    submit: 'Upload',
  },
  conflict: {
    header: 'The name is in use',
    body: (path: string) => `There is a file ${path} on the node already.`,
    bodyDirectory: (path: string) => `There is a directory ${path} on the node already. A file cannot take its place.`,
    forAll: 'The same for all others of this upload',
    replace: 'Replace',
    both: 'Keep both',
    skip: 'Skip',
  },

  transfers: 'Transfers',
  transfersOf: (unfinished: number, all: number) => (unfinished === 0 ? `(${all})` : `(${unfinished} of ${all} to do)`),
  summary: (unfinished: number, done: number, failed: number) =>
    `${count(unfinished, 'transfer', 'transfers')} to do, ${done} done, ${failed} failed`,
  clear: 'Clear finished',
  cancelAll: 'Cancel all',
  cancelOf: (name: string) => `Cancel ${name}`,
  retryOf: (name: string) => `Try ${name} again`,
  retry: 'Try again',

  states: {
    waiting: 'Waiting',
    asking: 'Waits for your answer',
    looking: 'Looking through the directories',
    moving: 'Moving',
    checking: 'Comparing checksums',
    skipped: 'Skipped',
    cancelled: 'Cancelled',
    failed: 'Failed',
    checked: 'Done, checksum is right',
    unchecked: 'Done, without a checksum',
  },
  leftOut: (number: number) => `${count(number, 'entry was', 'entries were')} left out: links, special files, and what may not be read.`,
  progress: (moved: string, size: string, rate: string | null) => `${moved} of ${size}${rate === null ? '' : `, ${rate}/s`}`,
  notShown: (number: number) => `${count(number, 'other transfer is', 'other transfers are')} not shown.`,
} as const;
