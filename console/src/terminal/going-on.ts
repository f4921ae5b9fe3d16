/** Whether this browser can go on with a session. Light on purpose, as `open.ts`. */

import { Places } from '../channel/place.ts';

/** Whether a page of this browser has carried the session for this principal and left it, so that another one can go on with it. */
export function canGoOn(sessionId: string, principalArn: string): boolean {
  return new Places(window.localStorage).read(sessionId, principalArn) !== null;
}
