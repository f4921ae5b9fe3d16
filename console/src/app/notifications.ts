/** Messages in the bar above the page. They stay until dismissed; successes go by themselves. */

import { useSyncExternalStore } from 'react';

import { whenSignedOut } from '../sign-in/state.ts';

export interface Notification {
  readonly id: string;
  readonly type: 'success' | 'error' | 'warning' | 'info';
  /** Text as `visible` makes it where it comes from outside. */
  readonly header: string;
  readonly content?: string;
}

const SUCCESS_MS = 8_000;
/** Older ones make room. */
const SHOWN_MAX = 5;

const listeners = new Set<() => void>();
let shown: readonly Notification[] = [];
let count = 0;

whenSignedOut(() => show([]));

/** Shows a message and says how to take it away. */
export function notify(notification: Omit<Notification, 'id'>): () => void {
  count += 1;
  const id = String(count);
  show([...shown, { ...notification, id }].slice(-SHOWN_MAX));
  if (notification.type === 'success') {
    window.setTimeout(() => dismiss(id), SUCCESS_MS);
  }
  return () => dismiss(id);
}

export function dismiss(id: string): void {
  show(shown.filter((notification) => notification.id !== id));
}

export function useNotifications(): readonly Notification[] {
  return useSyncExternalStore(subscribe, shownNotifications);
}

/** The messages now. */
export function shownNotifications(): readonly Notification[] {
  return shown;
}

function show(notifications: readonly Notification[]): void {
  shown = notifications;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
