import { useSyncExternalStore } from 'react';

import type { Files } from './files.ts';

/** Shows it again whenever something of the files has changed. */
export function useFiles(files: Files): void {
  useSyncExternalStore(files.subscribe, files.version);
}
