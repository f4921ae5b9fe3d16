/** One line of an audit record: what it refused, or what it says beside the call. */

import { object, parsed } from './record.ts';

/** Members of the details that stand elsewhere on the page. */
const KNOWN = new Set(['sessionId', 'target', 'documentName', 'startTime', 'owner', 'recording', 'decision']);

/** The line. A record that cannot be read has none. */
export function summaryOf(record: string | undefined): string {
  const { errorCode, errorMessage, additionalEventData, serviceEventDetails, sourceIPAddress } = parsed(record);
  if (typeof errorCode === 'string') {
    return [errorCode, errorMessage].filter((text) => typeof text === 'string').join(': ');
  }
  const details = Object.entries({ ...object(additionalEventData), ...object(serviceEventDetails) })
    .filter(([name, value]) => !KNOWN.has(name) && (typeof value === 'string' || typeof value === 'number'))
    .map(([name, value]) => `${name}: ${String(value)}`);
  return details.length > 0 ? details.join(' · ') : typeof sourceIPAddress === 'string' ? sourceIPAddress : '–';
}
