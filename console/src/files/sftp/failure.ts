/** What can go wrong with a request to an SFTP server, as values. */

export type SftpFailure =
  /** The server refused. Its words come from the node: text, never markup. */
  | { readonly kind: 'refused'; readonly status: RefusalStatus; readonly message: string }
  /** What came is not SFTP as we know it. Names the field. */
  | { readonly kind: 'violation'; readonly what: string }
  /** The session is over; the request may or may not have been done. */
  | { readonly kind: 'closed' };

/** `SSH_FX_…`, as far as servers of version 3 send them. */
export type RefusalStatus =
  | 'end-of-file'
  | 'no-such-file'
  | 'permission-denied'
  | 'failure'
  | 'bad-message'
  | 'no-connection'
  | 'connection-lost'
  | 'unsupported'
  | 'unknown';

export class SftpError extends Error {
  override readonly name = 'SftpError';
  readonly failure: SftpFailure;

  constructor(failure: SftpFailure) {
    super(failure.kind === 'refused' ? failure.message : failure.kind);
    this.failure = failure;
  }
}

export function violation(what: string): SftpError {
  return new SftpError({ kind: 'violation', what });
}

/** Whether a request was refused with that status. */
export function isRefusal(error: unknown, status: RefusalStatus): boolean {
  return error instanceof SftpError && error.failure.kind === 'refused' && error.failure.status === status;
}

/** Whether the session ended before the answer came. */
export function isClosed(error: unknown): boolean {
  return error instanceof SftpError && error.failure.kind === 'closed';
}
