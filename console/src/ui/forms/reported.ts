/** Small steps whose failure is told in the bar of messages. */

import { notify } from '../../app/notifications.ts';
import { problemOf } from '../problem.ts';

/** Waits for the work and says whether it succeeded; a failure is shown. */
export async function reported(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    const { header, message } = problemOf(error);
    notify({ type: 'error', header, content: message });
    return false;
  }
}
