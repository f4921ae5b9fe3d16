/** What goes wrong with files, in words. */

import { filesTexts as texts } from '../texts/files.ts';
import { problemOf } from '../ui/problem.ts';
import { remarkText } from '../terminal/hostile.ts';
import { SftpError } from './sftp/failure.ts';
import { type Over, SessionOver } from './sftp-session.ts';
import { TransferError } from './transfer/failure.ts';

/** A sentence for the user. What a node says is in it, made visible. */
export function wordsOf(error: unknown): string {
  if (error instanceof TransferError) {
    return texts.transferFailures[error.failure];
  }
  if (error instanceof SessionOver) {
    return wordsOfEnd(error.why);
  }
  if (!(error instanceof SftpError)) {
    return problemOf(error).message;
  }
  const { failure } = error;
  switch (failure.kind) {
    case 'refused':
      return `${texts.refusals[failure.status]} ${failure.message === '' ? '' : texts.said(remarkText(failure.message))}`.trim();
    case 'violation':
      return texts.ended.violation(failure.what);
    case 'closed':
      return texts.ended.ended('');
  }
}

/** Why a session with files is over. */
export function wordsOfEnd(why: Over): string {
  switch (why.code) {
    case 'ended':
      return texts.ended.ended(remarkText(why.reason));
    case 'violation':
      return texts.ended.violation(remarkText(why.what));
    case 'unreachable':
    case 'left':
      return texts.ended[why.code];
    case 'refused':
      return `${texts.ended.refused} ${problemOf(why.error).message}`;
    case 'taken':
    case 'not-taken':
      return texts.ended.left;
    case 'no-key':
    case 'undecipherable':
    case 'port-session':
    case 'unsupported':
      return [texts.ended.unsupported, ...(why.code === 'unsupported' ? why.errors.map(remarkText) : [])].join(' ');
  }
}

/** Does something, and throws what goes wrong in words, for forms that show an error's message. */
export async function inWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof SftpError || error instanceof SessionOver || error instanceof TransferError ? new Error(wordsOf(error)) : error;
  }
}
