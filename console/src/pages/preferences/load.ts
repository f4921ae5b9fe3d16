/** Loading the preferences: the latest version rules. */

import { call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { isOwn, PREFERENCES } from '../documents/document.ts';
import { readPreferences, type PreferencesDocument } from './preferences.ts';

export interface Loaded {
  /** Whether the account has made them. */
  readonly isOwn: boolean;
  readonly version: string;
  /** Nothing where a form cannot show them. */
  readonly read: PreferencesDocument | undefined;
}

export async function loadPreferences(signal: AbortSignal): Promise<Loaded> {
  const input = { Name: PREFERENCES, DocumentVersion: '$LATEST' };
  const [described, got] = await Promise.all([
    call(ssm.DescribeDocument, input, signal),
    call(ssm.GetDocument, { ...input, DocumentFormat: 'JSON' as const }, signal),
  ]);
  return {
    isOwn: isOwn(described.Document ?? {}),
    version: got.DocumentVersion ?? '',
    read: readPreferences(got.Content ?? ''),
  };
}
