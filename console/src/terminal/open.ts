/** The way to a terminal, for pages that start sessions. Light on purpose: nothing of xterm.js is behind it. */

import type { Ticket } from '../channel/state.ts';
import { navigate } from '../router/location.ts';
import { whenSignedOut } from '../sign-in/state.ts';
import { pathOfWorkspace, withTab } from './workspace.ts';

/** What StartSession answered, and what it was asked for. */
export interface Started {
  readonly SessionId: string;
  readonly StreamUrl: string;
  readonly TokenValue: string;
  /** The node. */
  readonly target: string;
  /** Absent for the account's default document. */
  readonly documentName?: string | undefined;
}

/** A session that nobody has opened yet. */
export interface Unopened extends Ticket {
  readonly target: string;
  readonly documentName: string | null;
}

/** Tickets open a data channel once, so they never get into an address. */
const unopened = new Map<string, Unopened>();

whenSignedOut(() => unopened.clear());

/** Goes to the terminal of a session that was just started. */
export function openTerminal(started: Started): void {
  navigate(terminalPath(remember(started)));
}

/** Keeps the ticket for the terminal, and gives the session's id. */
export function remember(started: Started): string {
  unopened.set(started.SessionId, {
    streamUrl: started.StreamUrl,
    tokenValue: started.TokenValue,
    target: started.target,
    documentName: started.documentName ?? null,
  });
  return started.SessionId;
}

/** The ticket, once. */
export function takeUnopened(sessionId: string): Unopened | undefined {
  const taken = unopened.get(sessionId);
  unopened.delete(sessionId);
  return taken;
}

/** The address of a session's terminal, to go on with it. */
export function terminalPath(sessionId: string): string {
  return pathOfWorkspace(withTab({ tabs: [], active: 0 }, sessionId));
}
