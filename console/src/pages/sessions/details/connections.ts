/** The connections of a port session, put together from the audit trail's records of it. */

import type * as cloudtrail from '../../../api/generated/cloudtrail.ts';
import { decisionOf, type RecordedDecision } from '../../audit/record.ts';
import { object, parsed } from './record.ts';

/** `open` also where the end is not on the trail yet; `cut`: it ended with its session; `refused`: the node reached nobody. */
export type ConnectionStatus = 'open' | 'closed' | 'cut' | 'refused' | 'denied';

export interface Connection {
  readonly id: string;
  readonly status: ConnectionStatus;
  /** The record that says most: of its end, or else of its beginning. */
  readonly eventId: string;
  /** Seconds since the epoch. */
  readonly opened_s?: number;
  readonly closed_s?: number;
  /** Who connected, at the end where it began. */
  readonly source?: string;
  /** `host:port`, or the path of a socket file. */
  readonly destination: string;
  /** `tcp`, `udp`, `unix`. */
  readonly protocol?: string;
  /** `local`: it begins at the client; `remote`: at the node. */
  readonly direction?: string;
  /** What the host's name stood for. */
  readonly address?: string;
  /** What is open is a listener: those who connect to it are connections of their own. */
  readonly isListener?: boolean;
  /** Payload bytes to the node and from it. */
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  /** A code, such as `node-reset`. */
  readonly endReason?: string;
  /** What those who ended it said. */
  readonly details?: string;
  readonly decision?: RecordedDecision;
}

/** What the code of a refusal begins with; why stands behind it. */
export const REFUSED = 'refused:';

/** The events that this is about. */
const STATUSES: Readonly<Record<string, ConnectionStatus>> = {
  ConnectionOpened: 'open',
  ConnectionClosed: 'closed',
  ConnectionDenied: 'denied',
};

/** Puts them together, those opened last first. Records that cannot be read, or are of something else, say nothing. */
export function connectionsOf(records: readonly cloudtrail.Event[]): readonly Connection[] {
  const found = new Map<string, Connection>();
  // They come newest first: what is said later completes what was said before.
  for (const event of records.toReversed()) {
    const said = saidBy(event);
    if (said) {
      found.set(said.id, together(found.get(said.id), said));
    }
  }
  const hasEnded = records.some(({ EventName }) => EventName === 'SessionEnded');
  const connections = [...found.values()].toSorted((a, b) => (b.opened_s ?? 0) - (a.opened_s ?? 0));
  return hasEnded ? connections.map(cut) : connections;
}

/** A connection as it is when its session has ended. */
function cut(connection: Connection): Connection {
  return connection.status === 'open' ? { ...connection, status: 'cut' } : connection;
}

/** Of one second, they come in any order; and what was denied stays so, whatever the node says of it. */
function together(before: Connection | undefined, said: Connection): Connection {
  const saysLess = said.status === 'open' || before?.status === 'denied';
  return before && saysLess ? { ...said, ...before } : { ...before, ...said };
}

/** How long it has lasted, or lasts at `now_s`, in seconds. */
export function lasted_s({ status, opened_s, closed_s }: Connection, now_s: number): number | undefined {
  const end_s = closed_s ?? (status === 'open' ? now_s : undefined);
  return opened_s === undefined || end_s === undefined ? undefined : Math.max(0, end_s - opened_s);
}

function saidBy({ EventId = '', EventName = '', EventTime, CloudTrailEvent }: cloudtrail.Event): Connection | undefined {
  const event = Object.hasOwn(STATUSES, EventName) ? STATUSES[EventName] : undefined;
  if (event === undefined) {
    return undefined;
  }
  const record = parsed(CloudTrailEvent);
  const details = object(record['serviceEventDetails']);
  const connection = object(details['connection']);
  const id = connection['id'];
  if (typeof id !== 'string' && typeof id !== 'number') {
    return undefined;
  }
  const endReason = text(connection['endReason']);
  const status = event === 'closed' ? endOf(endReason) : event;
  const said: Connection = { id: String(id), status, eventId: EventId, destination: destinationOf(connection) };
  return defined(said, {
    opened_s: time_s(connection['openedAt']) ?? (event === 'closed' ? undefined : EventTime),
    closed_s: event === 'closed' ? (time_s(connection['closedAt']) ?? EventTime) : undefined,
    source: text(connection['source']),
    protocol: text(connection['protocol']),
    direction: text(connection['direction']),
    address: text(connection['address']),
    bytesIn: number(connection['bytesIn']),
    bytesOut: number(connection['bytesOut']),
    isListener: connection['isListener'] === true ? true : undefined,
    endReason,
    details: text(connection['details']) ?? text(record['errorMessage']),
    decision: [object(record['additionalEventData']), details, connection].map((part) => decisionOf(part['decision'])).find(Boolean),
  });
}

/** Source: `ConnectionEnd::code` of crates/gateway. */
function endOf(endReason: string | undefined): ConnectionStatus {
  if (endReason === 'session-ended') {
    return 'cut';
  }
  return endReason?.startsWith(REFUSED) ? 'refused' : 'closed';
}

function destinationOf({ host, port, path }: Readonly<Record<string, unknown>>): string {
  const [name, port_] = [text(host) ?? text(path) ?? '', number(port)];
  if (port_ === undefined || port_ === 0) {
    return name;
  }
  return `${name.includes(':') ? `[${name}]` : name}:${port_}`;
}

function time_s(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) / 1000 : value;
  return typeof time === 'number' && Number.isFinite(time) ? time : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** `base` and those of `more` that are there. */
function defined(base: Connection, more: { readonly [K in keyof Connection]?: Connection[K] | undefined }): Connection {
  return { ...base, ...(Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)) as Partial<Connection>) };
}
