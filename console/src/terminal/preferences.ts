/** How this browser likes its terminals. */

import { useSyncExternalStore } from 'react';

export interface Preferences {
  readonly fontSize: number;
  readonly screenReader: boolean;
}

const KEY = 'postern.terminal';
const DEFAULT: Preferences = { fontSize: 14, screenReader: false };
const FONT_SIZE_MIN = 8;
const FONT_SIZE_MAX = 32;

const listeners = new Set<() => void>();
let current = stored();

export function preferences(): Preferences {
  return current;
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

export function prefer(change: Partial<Preferences>): void {
  const next = { ...current, ...change };
  current = { ...next, fontSize: Math.min(FONT_SIZE_MAX, Math.max(FONT_SIZE_MIN, next.fontSize)) };
  try {
    window.localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function stored(): Preferences {
  try {
    const value = JSON.parse(window.localStorage.getItem(KEY) ?? '{}') as Partial<Record<keyof Preferences, unknown>>;
    return {
      fontSize: typeof value.fontSize === 'number' ? value.fontSize : DEFAULT.fontSize,
      screenReader: value.screenReader === true,
    };
  } catch {
    return DEFAULT;
  }
}
