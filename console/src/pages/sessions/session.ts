/** A session as the pages show it. */

import { all, pages } from '../../api/call.ts';
import * as cloudtrail from '../../api/generated/cloudtrail.ts';
import * as ssm from '../../api/generated/ssm.ts';
import type { Progress } from '../../ui/resource.ts';
import { duration } from '../../ui/Time.tsx';

export type Session = ssm.Session & { readonly SessionId: string };
/** The two lists that AWS keeps. */
export type List = 'active' | 'history';

/** The most that one answer may hold. Source: AWS SSM API reference, DescribeSessions. */
const PAGE_SESSIONS = 200;
/** More than anybody looks through; older ones are found by a filter of the command line. */
const SESSIONS_MAX = 10_000;
/** Of one session: its calls, its connections, the marks of its recording. */
export const RECORDS_MAX = 5000;

/** Reads a list of sessions, and tells of them while more come. */
export async function readSessions(list: List, signal: AbortSignal, progress?: Progress<readonly Session[]>): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  for await (const page of pages(ssm.DescribeSessions, { State: STATES[list], MaxResults: PAGE_SESSIONS }, signal)) {
    sessions.push(...(page.Sessions ?? []).filter(hasId));
    if (sessions.length >= SESSIONS_MAX) {
      break;
    }
    progress?.([...sessions]);
  }
  return sessions;
}

/** The session of that id, live or ended. */
export async function readSession(sessionId: string, signal: AbortSignal): Promise<Session | undefined> {
  const lists = await Promise.all(
    Object.values(STATES).map((State) =>
      all(ssm.DescribeSessions, { State, Filters: [{ key: 'SessionId', value: sessionId }] }, (page) => page.Sessions, signal),
    ),
  );
  return lists.flat().find(hasId);
}

/**
 * What the audit trail says of a session, newest first. Of those that are `known`, which were read before, no more is read than shows
 * that nothing is missing between.
 */
export async function readRecords(
  sessionId: string,
  known: readonly cloudtrail.Event[],
  signal: AbortSignal,
  progress?: Progress<readonly cloudtrail.Event[]>,
): Promise<readonly cloudtrail.Event[]> {
  const knownIds = new Set(known.map(({ EventId }) => EventId));
  const records: cloudtrail.Event[] = [];
  const input: cloudtrail.LookupEventsInput = {
    LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: sessionId }],
    MaxResults: 50,
  };
  for await (const page of pages(cloudtrail.LookupEvents, input, signal)) {
    const events = page.Events ?? [];
    records.push(...events);
    // Not at the first that is known: one that took long is found among later ones.
    if (records.length >= RECORDS_MAX || (events.length > 0 && events.every(({ EventId }) => knownIds.has(EventId)))) {
      break;
    }
    progress?.([...records]);
  }
  const ids = new Set(records.map(({ EventId }) => EventId));
  return [...records, ...known.filter(({ EventId }) => !ids.has(EventId))].slice(0, RECORDS_MAX);
}

/** The owner without the front of the ARN: `admin`, or a role's session `Ops/alice`. */
export function ownerName({ Owner = '' }: ssm.Session): string {
  return /^arn:aws[\w-]*:(?:iam|sts)::\d*:(?:user|assumed-role)\/(.+)$/.exec(Owner)?.[1] ?? Owner;
}

/** Whether it can still be terminated and followed. */
export function isLive({ Status }: ssm.Session): boolean {
  return Status === 'Connected' || Status === 'Connecting' || Status === 'Disconnected';
}

/** How long it has lasted, or lasts. */
export function durationOf({ StartDate, EndDate }: ssm.Session): string {
  return StartDate === undefined ? '–' : duration((EndDate ?? Date.now() / 1000) - StartDate);
}

const STATES: Readonly<Record<List, ssm.SessionState>> = { active: 'Active', history: 'History' };

function hasId(session: ssm.Session): session is Session {
  return session.SessionId !== undefined;
}
