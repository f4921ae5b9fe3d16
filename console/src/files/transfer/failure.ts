/** Why a file was not moved, if neither the server nor its SFTP says it. */

export type TransferFailure =
  /** Something has that name by now. */
  | 'exists'
  /** A directory has that name: a file cannot take its place. */
  | 'is-directory'
  /** A device, a pipe, a socket: it has no end. */
  | 'no-file'
  /** The other end has other bytes than those that were sent or received. */
  | 'digest'
  /** It is not the file any more that the transfer began with. */
  | 'changed'
  /** The browser cannot read the file on this computer. */
  | 'local-read'
  /** The browser cannot write the file on this computer. */
  | 'local-write'
  /** More than the browser holds in memory; it has no other way to save files. */
  | 'too-large'
  /** More files and directories than are looked through at once. */
  | 'too-many'
  /** A link or something else has taken the place of a directory while it was looked through. */
  | 'moved'
  /** A directory has entries whose names no file can have. */
  | 'unnameable';

export class TransferError extends Error {
  override readonly name = 'TransferError';
  readonly failure: TransferFailure;

  constructor(failure: TransferFailure) {
    super(failure);
    this.failure = failure;
  }
}

export function isTransferFailure(error: unknown, failure: TransferFailure): boolean {
  return error instanceof TransferError && error.failure === failure;
}
