/** What is looked for, as the address has it. */

import type { RecordingFilter } from '../../api/generated/postern.ts';

export interface Wanted {
  readonly words: string;
  readonly node: string;
  readonly owner: string;
  /** Hours; empty: whenever. */
  readonly within: string;
}

/** Hours that can be chosen. */
export const WITHIN = ['', '24', '168', '720', '8760'] as const;
const HOUR_MS = 60 * 60 * 1000;

export function wantedOf(query: URLSearchParams): Wanted {
  const within = query.get('within') ?? '';
  return {
    words: query.get('q') ?? '',
    node: query.get('node') ?? '',
    owner: query.get('owner') ?? '',
    within: WITHIN.some((hours) => hours === within) ? within : '',
  };
}

export function queryOf({ words, node, owner, within }: Wanted): URLSearchParams {
  const all = { q: words.trim(), node: node.trim(), owner: owner.trim(), within };
  return new URLSearchParams(Object.entries(all).filter(([, value]) => value !== ''));
}

export function filtersOf({ node, owner, within }: Wanted, now_ms: number): RecordingFilter[] {
  const filters: RecordingFilter[] = [];
  if (node.trim() !== '') {
    filters.push({ Key: 'Node', Value: node.trim() });
  }
  if (owner.trim() !== '') {
    filters.push({ Key: 'Owner', Value: owner.trim() });
  }
  if (within !== '') {
    filters.push({ Key: 'StartedAfter', Value: new Date(now_ms - Number(within) * HOUR_MS).toISOString() });
  }
  return filters;
}
