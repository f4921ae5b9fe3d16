/** Where the things are that a record is about. */

import { pathOf } from '../../router/route.ts';
import { holderPath } from '../access/paths.ts';
import type { Subject } from './record.ts';

export function subjectPath({ kind, id }: Subject): string {
  switch (kind) {
    case 'session':
      return pathOf('/sessions/:sessionId', { sessionId: id });
    case 'node':
      return pathOf('/nodes/:nodeId', { nodeId: id });
    case 'document':
      return pathOf('/documents/:name', { name: id });
    case 'user':
    case 'role':
      return holderPath({ kind, name: id });
  }
}

export function eventPath(eventId: string): string {
  return pathOf('/audit/:eventId', { eventId });
}
