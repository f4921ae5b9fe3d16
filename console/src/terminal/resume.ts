/** The way back to a session whose connection was lost. */

import { call } from '../api/call.ts';
import { ApiError } from '../api/errors.ts';
import * as ssm from '../api/generated/ssm.ts';
import { Refused, type Ticket } from '../channel/state.ts';

/** A new ticket; `null` if the session is over. */
export async function resume(sessionId: string): Promise<Ticket | null> {
  try {
    const { StreamUrl, TokenValue } = await call(ssm.ResumeSession, { SessionId: sessionId });
    return StreamUrl && TokenValue ? { streamUrl: StreamUrl, tokenValue: TokenValue } : null;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'DoesNotExistException') {
      return null;
    }
    const mayPass = !(error instanceof ApiError) || error.status >= 500 || error.status === 429 || error.code === 'ThrottlingException';
    throw mayPass ? error : new Refused(error);
  }
}
