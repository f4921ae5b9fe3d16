/** Preferences as one reads them. */

import type { ReactNode } from 'react';

import Box from '@cloudscape-design/components/box';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { preferencesTexts as texts } from '../../texts/preferences.ts';
import { visible, visibleLine } from '../../ui/visible.ts';
import type { Field, Preferences } from './preferences.ts';

export type Group = keyof typeof texts.groups;

/** The groups in their order, each with its fields. */
export const GROUPS: readonly { readonly id: Group; readonly fields: readonly Field[] }[] = [
  { id: 'time', fields: ['idleSessionTimeout', 'maxSessionDuration'] },
  { id: 'runAs', fields: ['runAsEnabled', 'runAsDefaultUser'] },
  { id: 'shell', fields: ['linuxProfile', 'windowsProfile'] },
  { id: 's3', fields: ['s3BucketName', 's3KeyPrefix', 's3EncryptionEnabled'] },
  { id: 'cloudWatch', fields: ['cloudWatchLogGroupName', 'cloudWatchStreamingEnabled', 'cloudWatchEncryptionEnabled'] },
  { id: 'encryption', fields: ['kmsKeyId', 'recording'] },
];

export function shown(preferences: Preferences, field: Field): ReactNode {
  const value = preferences[field];
  if (typeof value === 'boolean') {
    return <StatusIndicator type={value ? 'success' : 'stopped'}>{value ? texts.on : texts.off}</StatusIndicator>;
  }
  switch (field) {
    case 'idleSessionTimeout':
    case 'maxSessionDuration':
      return value === '' || value === '0' ? texts.unlimited : texts.minutes(visibleLine(value));
    case 'linuxProfile':
    case 'windowsProfile':
      return value === '' ? texts.none : <Box variant="pre">{visible(value)}</Box>;
    case 'recording':
      return recordingText(value);
    default:
      return visibleLine(value) || texts.none;
  }
}

export function recordingText(recording: string): string {
  return Object.hasOwn(texts.recordings, recording) ? texts.recordings[recording as keyof typeof texts.recordings] : visibleLine(recording);
}
