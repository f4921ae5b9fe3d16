/** The account's documents: their versions, and who made them. */

import { all, call, pages } from '../../api/call.ts';
import { ApiError, isAbort } from '../../api/errors.ts';
import * as cloudtrail from '../../api/generated/cloudtrail.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { isObject, parseRecord, type AuditRecord } from '../audit/record.ts';

/** The document of a session that names none. */
export const PREFERENCES = 'SSM-SessionManagerRunShell';
/** The calls that make versions. */
const MAKING: readonly string[] = ['CreateDocument', 'UpdateDocument'];
/** How far back the trail is asked for authors, in pages of 50. */
const TRAIL_PAGES_MAX = 4;

/** What came with the server is nobody's, although the account is said to own it, and was never made. */
export function isOwn({ Owner, CreatedDate }: Pick<ssm.DocumentDescription, 'Owner' | 'CreatedDate'>): boolean {
  return Owner !== 'Amazon' && CreatedDate !== undefined;
}

export function versionsOf(name: string, signal?: AbortSignal): Promise<readonly ssm.DocumentVersionInfo[]> {
  return all(ssm.ListDocumentVersions, { Name: name }, (page) => page.DocumentVersions, signal);
}

/** The text of a version: as it was written, or in JSON. */
export async function contentOf(name: string, version: string, format?: 'JSON', signal?: AbortSignal): Promise<string> {
  const input = { Name: name, DocumentVersion: version, ...(format && { DocumentFormat: format }) };
  return (await call(ssm.GetDocument, input, signal)).Content ?? '';
}

/** The records of the calls that made each version. Nothing where the trail may not be read. */
export async function authorsOf(name: string, signal?: AbortSignal): Promise<ReadonlyMap<string, AuditRecord>> {
  const authors = new Map<string, AuditRecord>();
  try {
    for (const eventName of MAKING) {
      for (const record of await recordsOf(eventName, signal)) {
        const version = madeVersion(record, name);
        // Newest first: a number of a document that was deleted and made again is the newest's.
        if (version !== undefined && !authors.has(version)) {
          authors.set(version, record);
        }
      }
    }
  } catch (error) {
    if (isAbort(error) || !(error instanceof ApiError)) {
      throw error;
    }
  }
  return authors;
}

/** The version of a document that a call made, if it is one that did. */
export function madeVersion({ eventName, errorCode, raw }: AuditRecord, name: string): string | undefined {
  const [asked, answer] = [raw['requestParameters'], raw['responseElements']];
  if (errorCode !== undefined || !MAKING.includes(eventName) || !isObject(asked) || asked['name'] !== name) {
    return undefined;
  }
  const description = isObject(answer) ? answer['documentDescription'] : undefined;
  const version = isObject(description) ? description['documentVersion'] : undefined;
  return typeof version === 'string' ? version : undefined;
}

/** Not by the document: every session that is started with it is about it, too. */
async function recordsOf(eventName: string, signal: AbortSignal | undefined): Promise<readonly AuditRecord[]> {
  const asked = { LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue: eventName }], MaxResults: 50 };
  const records: AuditRecord[] = [];
  let count = 0;
  for await (const { Events = [] } of pages(cloudtrail.LookupEvents, asked, signal)) {
    records.push(...Events.flatMap(({ CloudTrailEvent = '' }) => parseRecord(CloudTrailEvent) ?? []));
    count += 1;
    if (count === TRAIL_PAGES_MAX) {
      break;
    }
  }
  return records;
}

/** Puts another version in place of the latest, and makes it the default. */
export async function replaceDocument(name: string, content: string, format: 'JSON' | 'YAML'): Promise<string> {
  const updated = await call(ssm.UpdateDocument, { Name: name, Content: content, DocumentVersion: '$LATEST', DocumentFormat: format });
  const version = updated.DocumentDescription?.DocumentVersion ?? '';
  await call(ssm.UpdateDocumentDefaultVersion, { Name: name, DocumentVersion: version });
  return version;
}

export async function createDocument(name: string, content: string, format: 'JSON' | 'YAML'): Promise<void> {
  await call(ssm.CreateDocument, { Name: name, Content: content, DocumentType: 'Session', DocumentFormat: format });
}
