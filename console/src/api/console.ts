/** The console's own endpoints: signing in and out, and what the page must know of the sign-in. */

import { ApiError, ConnectionError } from './errors.ts';
import { refuse, send, setCsrf, type HttpRequest } from './http.ts';

const ROOT = '/console/api';

/** What the sign-in page offers. */
export interface SignInOptions {
  /** The administrator has no password yet, and a link to set one is valid. */
  readonly setup: boolean;
  readonly oidc: readonly OidcProvider[];
  readonly accountId: string;
  readonly passkeys: boolean;
}

export interface OidcProvider {
  readonly id: string;
  readonly name: string;
}

/** What follows a step of a sign-in. */
export type NextStep =
  | { readonly next: 'done' }
  | { readonly next: 'mfa'; readonly methods: readonly MfaMethod[] }
  | { readonly next: 'change-password' };

export type MfaMethod = 'totp' | 'passkey';

/** Who is signed in. */
export interface SignIn {
  readonly principalArn: string;
  /** Absent for who came by single sign-on. */
  readonly userName: string | null;
  readonly accountId: string;
  readonly region: string;
  readonly csrf: string;
  /** RFC 3339, as are all times of these endpoints. */
  readonly signedInAt: string;
  readonly expiresAt: string;
  readonly mfa: boolean;
  readonly role: { readonly arn: string; readonly sessionName: string } | null;
  /** The role that it acted as is over: nothing is done before that is left by `switchBack`. */
  readonly roleExpired: boolean;
  readonly version: string;
  readonly publicUrl: string;
  /** Of the certificate authority that nodes are told to trust, in hex; empty if a public one is used. */
  readonly caFingerprintSha256: string;
  readonly certificate: Certificate;
  readonly sinks: Sinks;
}

/** The certificate that the server shows. */
export interface Certificate {
  readonly names: readonly string[];
  readonly issuer: string | null;
  readonly notAfter: string | null;
  /** The server makes its certificates itself, and renews them. */
  readonly renewsItself: boolean;
}

/** Where the server keeps what it records. `null` days: for ever. */
export interface Sinks {
  readonly trailBucket: string;
  readonly trailKeptDays: number | null;
  readonly recordingsKeptDays: number | null;
}

/** One sign-in of the list of them. */
export interface SignInRecord {
  readonly id: string;
  readonly userName: string;
  readonly signedInAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** Whether it is the one that asks. */
  readonly current: boolean;
}

export function signInOptions(signal?: AbortSignal): Promise<SignInOptions> {
  return get('/sign-in', signal);
}

export function signIn(userName: string, password: string): Promise<NextStep> {
  return post('/sign-in', { userName, password });
}

export function answerMfa(code: string): Promise<NextStep> {
  return post('/sign-in/mfa', { code });
}

export function changePassword(oldPassword: string, newPassword: string): Promise<NextStep> {
  return post('/sign-in/new-password', { oldPassword, newPassword });
}

export function setUp(token: string, password: string): Promise<NextStep> {
  return post('/setup', { token, password });
}

/** Who is signed in; from here on, requests carry the proof. */
export async function session(signal?: AbortSignal): Promise<SignIn> {
  const answer: SignIn = await get('/session', signal);
  setCsrf(answer.csrf);
  return answer;
}

export async function signOut(): Promise<void> {
  await post('/sign-out', {});
  setCsrf('');
}

export function switchRole(roleArn: string, sessionName: string | undefined): Promise<NextStep> {
  return post('/switch-role', { roleArn, ...(sessionName && { sessionName }) });
}

export function switchBack(): Promise<NextStep> {
  return post('/switch-back', {});
}

/** The sign-ins of the one who asks, or of all. */
export async function signIns(of: 'own' | 'all', signal?: AbortSignal): Promise<readonly SignInRecord[]> {
  const answer: { signIns: readonly SignInRecord[] } = await get(of === 'all' ? '/sign-ins?all=1' : '/sign-ins', signal);
  return answer.signIns;
}

export async function endSignIn(id: string): Promise<void> {
  await remove(`/sign-ins/${encodeURIComponent(id)}`);
}

/** Where a sign-in at a provider begins: a link, not a request. */
export function oidcStart(id: string): string {
  return `${ROOT}/oidc/${encodeURIComponent(id)}/start`;
}

/** What another endpoint below `/console/api` knows. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>({ method: 'GET', path, signal });
}

/** A change at another endpoint below `/console/api`. It is never repeated. */
export function post<T>(path: string, body: object): Promise<T> {
  return request<T>({
    method: 'POST',
    path,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Takes away what is at an endpoint below `/console/api`. */
export async function remove(path: string): Promise<void> {
  await request({ method: 'DELETE', path });
}

async function request<T>(wanted: HttpRequest): Promise<T> {
  const answer = await send({ ...wanted, path: ROOT + wanted.path });
  const body = parsed(answer.text);
  if (answer.status >= 200 && answer.status < 300) {
    return body as T;
  }
  const { code, message, ...details } = body as { code?: string; message?: string };
  if (code === undefined) {
    throw new ConnectionError(`the server answered ${answer.status}`);
  }
  return refuse(new ApiError(code, message ?? code, answer.status, details));
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw new ConnectionError('the answer cannot be read', { cause: error });
  }
}
