/** A CloudTrail record as the page shows it. Source: CloudTrail user guide, "CloudTrail record contents". */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/** Something that a record is about and that has a page of its own. */
export interface Subject {
  kind: 'session' | 'node' | 'user' | 'role' | 'document';
  id: string;
}

export interface AuditRecord {
  eventId: string;
  /** RFC 3339. */
  eventTime: string;
  eventName: string;
  eventSource: string;
  eventType: string;
  awsRegion: string;
  sourceAddress: string;
  userAgent?: string;
  readOnly?: boolean;
  errorCode?: string;
  errorMessage?: string;
  who: Who;
  subjects: Subject[];
  decision?: RecordedDecision;
  /** The record as it was written, member by member. */
  raw: JsonObject;
}

export interface Who {
  type: string;
  /** A user's name, or `role/session`; what is known, where there is neither. */
  name: string;
  arn?: string;
  accessKeyId?: string;
  mfa?: boolean;
}

/** What the policies said (`additionalEventData.decision`). */
export interface RecordedDecision {
  result?: string;
  layer?: string;
  policy?: string;
  /** From 0. */
  statement?: number;
}

/** Reads a record; nothing if the text is none. */
export function parseRecord(text: string): AuditRecord | undefined {
  let raw: Json;
  try {
    raw = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  const eventId = isObject(raw) ? string(raw['eventID']) : undefined;
  if (!isObject(raw) || eventId === undefined) {
    return undefined;
  }
  const record: AuditRecord = {
    eventId,
    eventTime: string(raw['eventTime']) ?? '',
    eventName: string(raw['eventName']) ?? '',
    eventSource: string(raw['eventSource']) ?? '',
    eventType: string(raw['eventType']) ?? '',
    awsRegion: string(raw['awsRegion']) ?? '',
    sourceAddress: string(raw['sourceIPAddress']) ?? '',
    who: who(object(raw['userIdentity'])),
    subjects: subjects(raw),
    raw,
  };
  return defined(record, {
    userAgent: string(raw['userAgent']),
    readOnly: typeof raw['readOnly'] === 'boolean' ? raw['readOnly'] : undefined,
    errorCode: string(raw['errorCode']),
    errorMessage: string(raw['errorMessage']),
    decision: decisionOf(object(raw['additionalEventData'])['decision']),
  });
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function who(identity: JsonObject): Who {
  const session = object(identity['sessionContext']);
  const issuer = string(object(session['sessionIssuer'])['userName']);
  const sessionName = string(identity['principalId'])?.split(':')[1];
  const role = issuer === undefined ? undefined : [issuer, sessionName].filter(Boolean).join('/');
  const name = string(identity['userName']) ?? role ?? string(identity['invokedBy']) ?? string(identity['principalId']);
  const mfa = string(object(session['attributes'])['mfaAuthenticated']);
  const type = string(identity['type']) ?? 'Unknown';
  return defined(
    { type, name: name ?? type },
    {
      arn: string(identity['arn']),
      accessKeyId: string(identity['accessKeyId']),
      mfa: mfa === undefined ? undefined : mfa === 'true',
    },
  );
}

/** What the record is about: from its resources, and from the members that name sessions and nodes. */
function subjects(raw: JsonObject): Subject[] {
  const identity = object(raw['userIdentity']);
  const issuer = object(object(identity['sessionContext'])['sessionIssuer']);
  const found: (Subject | undefined)[] = [
    of('user', identity['type'] === 'IAMUser' ? identity['userName'] : undefined),
    of('role', issuer['type'] === 'Role' ? issuer['userName'] : undefined),
  ];
  for (const part of ['requestParameters', 'responseElements', 'serviceEventDetails']) {
    const members = object(raw[part]);
    found.push(of('session', members['sessionId']), node(members['target']), node(members['resourceId']));
    found.push(of('document', members['documentName']), of('user', members['userName']), of('role', members['roleName']));
  }
  const resources = Array.isArray(raw['resources']) ? raw['resources'] : [];
  found.push(...resources.map((resource) => subjectOfArn(string(object(resource)['ARN']))));
  const seen = new Set<string>();
  return found.filter((subject): subject is Subject => {
    if (subject === undefined) {
      return false;
    }
    const key = `${subject.kind} ${subject.id}`;
    return !seen.has(key) && Boolean(seen.add(key));
  });
}

function of(kind: Subject['kind'], id: Json | undefined): Subject | undefined {
  return typeof id === 'string' && id !== '' ? { kind, id } : undefined;
}

function node(id: Json | undefined): Subject | undefined {
  return typeof id === 'string' && /^(mi|i)-[0-9a-f]+$/.test(id) ? { kind: 'node', id } : undefined;
}

/** The last part of an ARN names the thing; roles and users may have a path before it. */
export function subjectOfArn(arn: string | undefined): Subject | undefined {
  const resource = arn?.split(':').slice(5).join(':') ?? '';
  const [kind = '', ...rest] = resource.split('/');
  const id = rest.at(-1);
  const kinds: Readonly<Record<string, Subject['kind']>> = {
    'managed-instance': 'node', instance: 'node', session: 'session', user: 'user', role: 'role', document: 'document',
  };
  // The second name of a session begins with its owner's identifier; the page knows sessions by the first.
  if (kind === 'session' && id?.includes(':')) {
    return undefined;
  }
  return Object.hasOwn(kinds, kind) && kinds[kind] ? of(kinds[kind], id) : undefined;
}

/** Reads the decision in a record; nothing if there is none. */
export function decisionOf(value: unknown): RecordedDecision | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return undefined;
  }
  const { result, layer, policy, statement } = value as Readonly<Record<string, unknown>>;
  return defined({}, {
    result: string(result),
    layer: string(layer),
    policy: string(policy),
    statement: typeof statement === 'number' ? statement : undefined,
  });
}

function object(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** `base` and those of `more` that are there. */
function defined<B extends object, M extends object>(base: B, more: M): B & Defined<M> {
  return { ...base, ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)) } as B & Defined<M>;
}
