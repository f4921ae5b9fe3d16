/** What the audit trail's records of a session say together: from where it came, what it was connected to, how much went each way. */

import type * as cloudtrail from '../../../api/generated/cloudtrail.ts';
import { object, parsed } from './record.ts';

export interface Facts {
  /** Where StartSession was called from. */
  readonly address?: string;
  /** Programs that it was used by, as they name themselves. */
  readonly clients: readonly string[];
  /** `host:port`, or the port alone, at the node. */
  readonly forwardedTo?: string;
  /** Payload bytes to the node and from it. */
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  readonly exitCode?: number;
}

/** Puts them together. Records that cannot be read, or are of something else, say nothing. */
export function factsOf(records: readonly cloudtrail.Event[]): Facts {
  const clients = new Set<string>();
  const facts: Omit<Facts, 'clients'> = {};
  for (const { EventName, CloudTrailEvent } of records) {
    const record = parsed(CloudTrailEvent);
    const details = object(record['serviceEventDetails']);
    switch (EventName) {
      case 'StartSession':
        Object.assign(facts, text('address', record['sourceIPAddress']), forwarded(object(object(record['requestParameters'])['parameters'])));
        break;
      case 'SessionConnected':
        if (details['side'] === 'client' && typeof details['clientVersion'] === 'string') {
          clients.add(details['clientVersion']);
        }
        break;
      case 'SessionEnded':
        Object.assign(facts, number('bytesIn', details['bytesIn']), number('bytesOut', details['bytesOut']), number('exitCode', details['exitCode']));
        break;
    }
  }
  // They came newest first.
  return { ...facts, clients: [...clients].toReversed() };
}

function forwarded(parameters: Readonly<Record<string, unknown>>): Pick<Facts, 'forwardedTo'> {
  const [host, port] = ['host', 'portNumber'].map((name) => first(parameters[name]));
  return port === undefined ? {} : { forwardedTo: host === undefined ? port : `${host}:${port}` };
}

function first(values: unknown): string | undefined {
  const value: unknown = Array.isArray(values) ? values[0] : values;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function text<Name extends string>(name: Name, value: unknown): Partial<Record<Name, string>> {
  return typeof value === 'string' ? ({ [name]: value } as Record<Name, string>) : {};
}

function number<Name extends string>(name: Name, value: unknown): Partial<Record<Name, number>> {
  return typeof value === 'number' ? ({ [name]: value } as Record<Name, number>) : {};
}
