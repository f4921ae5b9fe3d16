/** Records as files. */

import type { AuditRecord } from './record.ts';

/** The records as CloudTrail's log files hold them. */
export function recordsAsJson(records: readonly AuditRecord[]): string {
  return `${JSON.stringify({ Records: records.map((record) => record.raw) }, null, 2)}\n`;
}

const COLUMNS: readonly (readonly [string, (record: AuditRecord) => string | undefined])[] = [
  ['eventTime', (record) => record.eventTime],
  ['eventName', (record) => record.eventName],
  ['eventSource', (record) => record.eventSource],
  ['userName', (record) => record.who.name],
  ['userArn', (record) => record.who.arn],
  ['accessKeyId', (record) => record.who.accessKeyId],
  ['sourceIPAddress', (record) => record.sourceAddress],
  ['userAgent', (record) => record.userAgent],
  ['readOnly', (record) => record.readOnly?.toString()],
  ['errorCode', (record) => record.errorCode],
  ['errorMessage', (record) => record.errorMessage],
  ['resources', (record) => record.subjects.map(({ kind, id }) => `${kind}:${id}`).join(' ')],
  ['eventID', (record) => record.eventId],
];

/** A table (RFC 4180). */
export function recordsAsCsv(records: readonly AuditRecord[]): string {
  const rows = records.map((record) => COLUMNS.map(([, value]) => cell(value(record) ?? '')).join(','));
  return [COLUMNS.map(([name]) => name).join(','), ...rows, ''].join('\r\n');
}

/**
 * A cell. What a spreadsheet would take for a formula gets an apostrophe before it: anybody who calls the server can put text into a
 * record, and an auditor opens the file. That holds for every line of it, since not all spreadsheets heed quotes, and for the
 * full-width signs, which some take for the others.
 */
function cell(value: string): string {
  const text = value.replaceAll(/^[=+\-@\t\r＝＋－＠]/gm, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
