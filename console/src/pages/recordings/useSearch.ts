/** Pages of `SearchSessionRecordings`, one after the other. */

import { useCallback, useEffect, useRef, useState } from 'react';

import { call } from '../../api/call.ts';
import { isAbort } from '../../api/errors.ts';
import * as postern from '../../api/generated/postern.ts';
import { filtersOf, type Wanted } from './query.ts';

const PAGE_MATCHES = 100;

export interface Found {
  readonly matches: readonly postern.RecordingMatch[];
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly hasMore: boolean;
  /** Some recordings are not, or not wholly, in the index. */
  readonly isIncomplete: boolean;
  readonly more: () => void;
  readonly reload: () => void;
}

interface Held {
  readonly matches: readonly postern.RecordingMatch[];
  readonly error?: unknown;
  readonly isLoading: boolean;
  readonly isIncomplete: boolean;
  readonly input?: postern.SearchSessionRecordingsInput;
  readonly next?: string | undefined;
}

const NOTHING: Held = { matches: [], isLoading: false, isIncomplete: false };

/** Looks for what is wanted; again when `key`, which names it, changes. */
export function useSearch(wanted: Wanted, key: string): Found {
  const [held, setHeld] = useState<Held>(NOTHING);
  const [count, setCount] = useState(0);
  const asking = useRef(new AbortController());

  useEffect(() => {
    const gone = new AbortController();
    asking.current = gone;
    if (wanted.words.trim() === '') {
      setHeld(NOTHING);
      return undefined;
    }
    const filters = filtersOf(wanted, Date.now());
    const input = { Query: wanted.words.trim(), MaxResults: PAGE_MATCHES, ...(filters.length > 0 && { Filters: filters }) };
    setHeld({ ...NOTHING, isLoading: true });
    load(input, undefined, gone.signal).then(
      (page) => setHeld({ ...page, input, isLoading: false }),
      (error: unknown) => !isAbort(error) && setHeld({ ...NOTHING, error }),
    );
    return () => gone.abort();
    // oxlint-disable-next-line react/exhaustive-deps -- `key` names what is wanted, which is another object at each drawing
  }, [key, count]);

  const more = () => {
    const { signal } = asking.current;
    const { input, next, matches, isIncomplete } = held;
    if (!input || next === undefined) {
      return;
    }
    setHeld({ ...held, isLoading: true });
    load(input, next, signal).then(
      (page) =>
        signal.aborted ||
        setHeld({
          matches: [...matches, ...page.matches],
          next: page.next,
          isIncomplete: isIncomplete || page.isIncomplete,
          input,
          isLoading: false,
        }),
      (error: unknown) => !isAbort(error) && setHeld({ ...held, error, isLoading: false }),
    );
  };
  const reload = useCallback(() => setCount((now) => now + 1), []);
  return { ...held, error: held.error, hasMore: held.next !== undefined, more, reload };
}

/** A page that has something, or the last: whoever may read many recordings gets pages that are empty. */
async function load(input: postern.SearchSessionRecordingsInput, start: string | undefined, signal: AbortSignal) {
  let next = start;
  let isIncomplete = false;
  for (;;) {
    const page = await call(postern.SearchSessionRecordings, { ...input, ...(next !== undefined && { NextToken: next }) }, signal);
    next = page.NextToken;
    isIncomplete ||= page.Incomplete ?? false;
    const matches = page.Matches ?? [];
    if (matches.length > 0 || next === undefined) {
      return { matches, next, isIncomplete };
    }
  }
}
