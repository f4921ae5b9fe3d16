/** What a page loads: there, on its way, or refused. */

import { useCallback, useEffect, useRef, useState, type DependencyList } from 'react';

import { isAbort } from '../api/errors.ts';

/** Something loaded. The last value stays while a newer one is on its way, or after it failed. */
export interface Resource<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  /** The value is what has come so far. */
  readonly isPartial: boolean;
  readonly reload: () => void;
}

/** Takes what has come so far. It is shown unless a whole value already is. */
export type Progress<T> = (value: T) => void;

interface Held<T> {
  readonly value?: T;
  readonly error?: unknown;
  readonly isLoading: boolean;
  readonly isPartial?: boolean;
}

/** How a resource keeps up with the server. */
export interface Options {
  /** Loads again so often, in milliseconds, while the page is looked at. */
  readonly every_ms?: number;
}

/**
 * Loads with `load` now, when a dependency changes, and when asked to. What is not wanted any more is aborted. A change of the
 * dependencies drops the value: it was of something else.
 */
export function useResource<T>(
  load: (signal: AbortSignal, progress: Progress<T>) => Promise<T>,
  dependencies: DependencyList,
  { every_ms }: Options = {},
): Resource<T> {
  const [held, setHeld] = useState<Held<T>>({ isLoading: true });
  const [count, setCount] = useState(0);
  const latest = useRef(load);
  useEffect(() => {
    latest.current = load;
  });

  const key = JSON.stringify(dependencies);
  const shownKey = useRef(key);
  useEffect(() => {
    const gone = new AbortController();
    const isSame = shownKey.current === key;
    shownKey.current = key;
    setHeld((now) => (isSame ? { ...now, isLoading: true } : { isLoading: true }));
    const progress = (value: T) => {
      if (!gone.signal.aborted) {
        setHeld((now) => (now.value === undefined || now.isPartial ? { value, isLoading: true, isPartial: true } : now));
      }
    };
    latest.current(gone.signal, progress).then(
      (value) => !gone.signal.aborted && setHeld({ value, isLoading: false }),
      (error: unknown) => {
        if (!gone.signal.aborted && !isAbort(error)) {
          setHeld((now) => ({ ...now, error, isLoading: false }));
        }
      },
    );
    return () => gone.abort();
  }, [key, count]);

  const reload = useCallback(() => setCount((now) => now + 1), []);
  useInterval(reload, every_ms);
  const { value, error, isLoading, isPartial = false } = held;
  return { value, error, isLoading, isPartial, reload };
}

/** Calls back so often while the page is looked at, and when it is looked at again. */
function useInterval(callback: () => void, every_ms: number | undefined): void {
  useEffect(() => {
    if (every_ms === undefined) {
      return undefined;
    }
    const callIfSeen = () => {
      if (document.visibilityState === 'visible') {
        callback();
      }
    };
    const timer = window.setInterval(callIfSeen, every_ms);
    document.addEventListener('visibilitychange', callIfSeen);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener('visibilitychange', callIfSeen);
    };
  }, [callback, every_ms]);
}
