/** An error in words. */

import { ApiError, ConnectionError } from '../api/errors.ts';
import { problemTexts } from '../texts/problems.ts';
import { visible } from './visible.ts';

/** What is shown of an error. */
export interface Problem {
  readonly header: string;
  readonly message: string;
  /** The server's code. */
  readonly code?: string;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) {
    return {
      header: error.isDenial ? problemTexts.denied : problemTexts.failed,
      message: visible(error.message),
      code: visible(error.code),
    };
  }
  if (error instanceof ConnectionError) {
    return { header: problemTexts.unreachable, message: problemTexts.unreachableBody };
  }
  return { header: problemTexts.failed, message: visible(error instanceof Error ? error.message : String(error)) };
}
