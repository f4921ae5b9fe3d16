/** Pages of `LookupEvents`, one after the other, of one moment. */

import { useCallback, useEffect, useRef, useState } from 'react';

import { call } from '../../api/call.ts';
import { isAbort } from '../../api/errors.ts';
import * as cloudtrail from '../../api/generated/cloudtrail.ts';
import { timesOf, type Filters } from './filters.ts';
import { parseRecord, type AuditRecord } from './record.ts';

/** CloudTrail's most. */
const PAGE_EVENTS = 50;

export interface Lookup {
  readonly records: readonly AuditRecord[];
  readonly error: unknown;
  readonly isLoading: boolean;
  /** Whether there are older ones. */
  readonly hasMore: boolean;
  readonly more: () => void;
  readonly reload: () => void;
}

interface Held {
  readonly records: readonly AuditRecord[];
  readonly error?: unknown;
  readonly isLoading: boolean;
  /** What was asked; the next page must ask the same. */
  readonly input: cloudtrail.LookupEventsInput;
  readonly next?: string | undefined;
}

const NOTHING: Held = { records: [], isLoading: true, input: {} };

/** Looks up what `filters` ask for; again when `key`, which names them, changes. */
export function useLookup(filters: Filters, key: string): Lookup {
  const [held, setHeld] = useState<Held>(NOTHING);
  const [count, setCount] = useState(0);
  const asking = useRef(new AbortController());

  useEffect(() => {
    const gone = new AbortController();
    asking.current = gone;
    const input = inputOf(filters, Date.now());
    setHeld(NOTHING);
    load(input, undefined, gone.signal).then(
      ({ records, next }) => setHeld({ records, next, input, isLoading: false }),
      (error: unknown) => !isAbort(error) && setHeld({ ...NOTHING, error, isLoading: false }),
    );
    return () => gone.abort();
    // oxlint-disable-next-line react/exhaustive-deps -- `key` names the filters, which are another object at each drawing
  }, [key, count]);

  const more = () => {
    const { signal } = asking.current;
    const failed = (error: unknown) => !isAbort(error) && setHeld({ ...held, error, isLoading: false });
    setHeld({ ...held, isLoading: true });
    load(held.input, held.next, signal).then(
      ({ records, next }) =>
        signal.aborted || setHeld({ records: [...held.records, ...records], next, input: held.input, isLoading: false }),
      failed,
    );
  };
  const reload = useCallback(() => setCount((now) => now + 1), []);
  return { ...held, error: held.error, hasMore: held.next !== undefined, more, reload };
}

function inputOf({ attribute, range }: Filters, now_ms: number): cloudtrail.LookupEventsInput {
  const { start, end } = timesOf(range, now_ms);
  return {
    MaxResults: PAGE_EVENTS,
    ...(attribute && { LookupAttributes: [{ AttributeKey: attribute.key, AttributeValue: attribute.value }] }),
    ...(start !== undefined && { StartTime: start / 1000 }),
    ...(end !== undefined && { EndTime: end / 1000 }),
  };
}

async function load(input: cloudtrail.LookupEventsInput, next: string | undefined, signal: AbortSignal) {
  const page = await call(cloudtrail.LookupEvents, { ...input, ...(next !== undefined && { NextToken: next }) }, signal);
  const records = (page.Events ?? []).flatMap(({ CloudTrailEvent = '' }) => parseRecord(CloudTrailEvent) ?? []);
  return { records, next: page.NextToken };
}
