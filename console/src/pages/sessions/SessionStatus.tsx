/** How a session is. */

import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import { visibleLine } from '../../ui/visible.ts';

const TYPES: Readonly<Record<string, StatusIndicatorProps.Type>> = {
  Connected: 'success',
  Connecting: 'in-progress',
  Disconnected: 'warning',
  Terminating: 'in-progress',
  Terminated: 'stopped',
  Failed: 'error',
};

export function SessionStatus({ status = '' }: { readonly status?: string | undefined }) {
  return <StatusIndicator type={TYPES[status] ?? 'pending'}>{visibleLine(status)}</StatusIndicator>;
}
