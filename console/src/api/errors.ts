/** What can go wrong with a request. */

/** The server's refusal, with AWS's code or the console's own. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly status: number;
  /** What else the answer says, such as `retryAfterSeconds`. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status: number, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.details = details;
  }

  /** Whether a policy, or the lack of one, refused. */
  get isDenial(): boolean {
    return this.code === 'AccessDeniedException' || this.code === 'AccessDenied';
  }
}

/** No answer came, or none that can be read. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** Whether the caller gave up. Such an error is shown to nobody. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Codes that say the sign-in is over, of AWS's answers and the console's own. */
const SIGNED_OUT = new Set(['ExpiredTokenException', 'ExpiredToken', 'SignedOut']);

/** Whether it takes a new sign-in to go on. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && SIGNED_OUT.has(error.code);
}
