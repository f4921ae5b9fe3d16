/** Something that a person starts and that may fail. */

import { useCallback, useState } from 'react';

export interface Action {
  readonly isBusy: boolean;
  readonly error: unknown;
  /** Does the work and says whether it succeeded. While one is being done, nothing else begins. */
  readonly run: (work: () => Promise<void>) => Promise<boolean>;
}

export function useAction(): Action {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = useCallback(async (work: () => Promise<void>) => {
    setIsBusy(true);
    setError(undefined);
    try {
      await work();
      return true;
    } catch (failure) {
      setError(failure);
      return false;
    } finally {
      setIsBusy(false);
    }
  }, []);
  return { isBusy, error, run };
}
