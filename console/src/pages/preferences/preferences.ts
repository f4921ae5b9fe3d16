/** The preferences of sessions: `inputs` of their document, as fields of a form, and what may stand in each. */

import { preferencesTexts } from '../../texts/preferences.ts';
import { isObject, type Json, type JsonObject } from '../audit/record.ts';

const texts = preferencesTexts.wrong;

export interface Preferences {
  readonly s3BucketName: string;
  readonly s3KeyPrefix: string;
  readonly s3EncryptionEnabled: boolean;
  readonly cloudWatchLogGroupName: string;
  readonly cloudWatchEncryptionEnabled: boolean;
  readonly cloudWatchStreamingEnabled: boolean;
  readonly kmsKeyId: string;
  /** One of `RECORDINGS`: Postern's own. */
  readonly recording: string;
  readonly runAsEnabled: boolean;
  readonly runAsDefaultUser: string;
  readonly idleSessionTimeout: string;
  readonly maxSessionDuration: string;
  readonly linuxProfile: string;
  readonly windowsProfile: string;
}

export type Field = keyof Preferences;
export type Problems = Partial<Readonly<Record<Field, string>>>;

/** What stands for what a document does not say. */
export const DEFAULTS: Preferences = {
  s3BucketName: '',
  s3KeyPrefix: '',
  s3EncryptionEnabled: true,
  cloudWatchLogGroupName: '',
  cloudWatchEncryptionEnabled: true,
  cloudWatchStreamingEnabled: false,
  kmsKeyId: '',
  recording: 'allowed',
  runAsEnabled: false,
  runAsDefaultUser: '',
  idleSessionTimeout: '20',
  maxSessionDuration: '',
  linuxProfile: '',
  windowsProfile: '',
};

/** The longest shell profile, in characters. */
export const PROFILE_CHARACTERS_MAX = 512;

/** What the recording of an encrypted session may be. */
export const RECORDINGS = ['required', 'allowed', 'off'] as const;

/** Where a field stands in the document. */
const PATHS: Readonly<Record<Field, readonly string[]>> = {
  s3BucketName: ['s3BucketName'],
  s3KeyPrefix: ['s3KeyPrefix'],
  s3EncryptionEnabled: ['s3EncryptionEnabled'],
  cloudWatchLogGroupName: ['cloudWatchLogGroupName'],
  cloudWatchEncryptionEnabled: ['cloudWatchEncryptionEnabled'],
  cloudWatchStreamingEnabled: ['cloudWatchStreamingEnabled'],
  kmsKeyId: ['kmsKeyId'],
  recording: ['recording'],
  runAsEnabled: ['runAsEnabled'],
  runAsDefaultUser: ['runAsDefaultUser'],
  idleSessionTimeout: ['idleSessionTimeout'],
  maxSessionDuration: ['maxSessionDuration'],
  linuxProfile: ['shellProfile', 'linux'],
  windowsProfile: ['shellProfile', 'windows'],
};

export const FIELDS = Object.keys(PATHS) as readonly Field[];

/** A document whose preferences are written out. */
export interface PreferencesDocument {
  /** The document as it was read: what the form does not know stays in it. */
  readonly document: JsonObject;
  readonly preferences: Preferences;
}

/** Reads a document in JSON; nothing where a form cannot show what it says, such as references to parameters. */
export function readPreferences(content: string): PreferencesDocument | undefined {
  let document: Json;
  try {
    document = JSON.parse(content) as Json;
  } catch {
    return undefined;
  }
  if (!isObject(document)) {
    return undefined;
  }
  const preferences: Record<string, string | boolean> = { ...DEFAULTS };
  for (const field of FIELDS) {
    const value = at(document['inputs'], PATHS[field]);
    if (value === undefined || value === null || (value === '' && (field === 'idleSessionTimeout' || field === 'recording'))) {
      continue;
    }
    const read = typeof DEFAULTS[field] === 'boolean' ? truth(value) : text(value);
    if (read === undefined) {
      return undefined;
    }
    preferences[field] = read;
  }
  return { document, preferences: preferences as unknown as Preferences };
}

/** The document with these preferences in it. */
export function writtenPreferences(document: JsonObject, preferences: Preferences): string {
  const inputs: JsonObject = { ...(isObject(document['inputs']) ? document['inputs'] : {}) };
  const shellProfile: JsonObject = { ...(isObject(inputs['shellProfile']) ? inputs['shellProfile'] : {}) };
  for (const field of FIELDS) {
    const [first = '', second] = PATHS[field];
    if (field === 'recording' && preferences.recording === DEFAULTS.recording) {
      // No field of AWS's: a document that does not need it can be taken to AWS.
      delete inputs[first];
    } else if (second === undefined) {
      inputs[first] = preferences[field];
    } else {
      shellProfile[second] = preferences[field];
    }
  }
  inputs['shellProfile'] = shellProfile;
  const head = { schemaVersion: '1.0', sessionType: 'Standard_Stream', ...document };
  return `${JSON.stringify({ ...head, inputs }, null, 2)}\n`;
}

/** What is wrong with each field, as the server sees it. Only the server knows how far its operator moved the limits. */
export function problemsOf(preferences: Preferences): Problems {
  const { s3BucketName: bucket, s3KeyPrefix: prefix, cloudWatchLogGroupName: group, kmsKeyId: key } = preferences;
  const { runAsEnabled, runAsDefaultUser: user, idleSessionTimeout: idle, maxSessionDuration: longest } = preferences;
  const found: Record<Field, string | false | undefined> = {
    s3BucketName: bucket !== '' && !isBucket(bucket) && texts.bucket,
    s3KeyPrefix: prefixProblem(prefix, bucket),
    s3EncryptionEnabled: undefined,
    cloudWatchLogGroupName: group !== '' && !/^[.\-_/#A-Za-z0-9]{1,512}$/.test(group) && texts.group,
    cloudWatchEncryptionEnabled: undefined,
    cloudWatchStreamingEnabled: undefined,
    kmsKeyId: key !== '' && !KEY.test(key) && texts.key,
    recording: !RECORDINGS.some((known) => known === preferences.recording) && texts.recording,
    runAsEnabled: undefined,
    runAsDefaultUser: userProblem(user, runAsEnabled),
    idleSessionTimeout: !/^\d{1,9}$/.test(idle) && texts.minutes,
    maxSessionDuration: longest !== '' && !/^\d{1,9}$/.test(longest) && texts.minutes,
    linuxProfile: [...preferences.linuxProfile].length > PROFILE_CHARACTERS_MAX && texts.profile,
    windowsProfile: [...preferences.windowsProfile].length > PROFILE_CHARACTERS_MAX && texts.profile,
  };
  return Object.fromEntries(Object.entries(found).filter(([, problem]) => problem));
}

/** The field of the form that a path of the document leads to, such as `inputs.shellProfile.linux`. */
export function fieldAt(path: string | undefined): Field | undefined {
  return FIELDS.find((field) => path === ['inputs', ...PATHS[field]].join('.'));
}

const KEY =
  /^(arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:(key\/[A-Za-z0-9-]{1,64}|alias\/[A-Za-z0-9/_-]{1,250})|alias\/[A-Za-z0-9/_-]{1,250}|[A-Za-z0-9-]{1,64})$/;

function isBucket(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..') && !/^\d+(\.\d+){3}$/.test(name);
}

function prefixProblem(prefix: string, bucket: string): string | undefined {
  if (prefix === '') {
    return undefined;
  }
  if (bucket === '') {
    return texts.prefixAlone;
  }
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return prefix.startsWith('/') || /[\u0000-\u001f\u007f]/.test(prefix) || prefix.length > 512 ? texts.prefix : undefined;
}

function userProblem(user: string, runAsEnabled: boolean): string | undefined {
  if (user === '') {
    return undefined;
  }
  if (!runAsEnabled) {
    return texts.userAlone;
  }
  return /[\s:/]/.test(user) || user.startsWith('-') || [...user].length > 256 ? texts.user : undefined;
}

function at(value: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

function truth(value: Json): boolean | undefined {
  const isTrue = value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
  const isFalse = value === false || value === '' || (typeof value === 'string' && value.toLowerCase() === 'false');
  return isTrue || isFalse ? isTrue : undefined;
}

function text(value: Json): string | undefined {
  return typeof value === 'string' && !/\{\{ *[A-Za-z0-9]+ *\}\}/.test(value) ? value : undefined;
}
