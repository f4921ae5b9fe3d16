/** One request to the server that the console came from. */

import { ApiError, ConnectionError, isAbort, isSignedOut } from './errors.ts';

/** How long an answer may take, in milliseconds. Nothing that the console asks for takes a second. */
const TIMEOUT_MS = 30_000;

let csrf = '';
let onSignedOut: () => void = () => {};

/** Sets what proves that a request comes from the console's own page. It lives in memory only. */
export function setCsrf(value: string): void {
  csrf = value;
}

/** Sets what is called when an answer says that the sign-in is over. */
export function setOnSignedOut(callback: () => void): void {
  onSignedOut = callback;
}

/** A request as the callers of this module write it. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** From the server's root, with the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Goes out although its page is left meanwhile. */
  readonly outlivesPage?: boolean;
}

/** An answer that is not an error of the transport. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends a request with the cookie and its proof.
 *
 * Throws `ConnectionError` when no answer comes, and what `signal` was aborted with.
 */
export async function send(request: HttpRequest): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(request.path, {
      method: request.method,
      headers: { ...request.headers, ...(csrf && { 'X-Postern-Csrf': csrf }) },
      body: request.body ?? null,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      keepalive: request.outlivesPage ?? false,
      signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    if (isAbort(error) && request.signal?.aborted) {
      throw error;
    }
    throw new ConnectionError('the server does not answer', { cause: error });
  }
}

/** Throws the error that an answer carries, and tells who listens if the sign-in is over. */
export function refuse(error: ApiError): never {
  if (isSignedOut(error)) {
    onSignedOut();
  }
  throw error;
}
