/** Whether a node is there. */

import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import { nodesTexts } from '../../texts/nodes.ts';
import { visibleLine } from '../../ui/visible.ts';

const TYPES: Readonly<Record<string, StatusIndicatorProps.Type>> = {
  Online: 'success',
  ConnectionLost: 'error',
  Inactive: 'stopped',
};

export function NodeStatus({ status }: { readonly status: string | undefined }) {
  return <StatusIndicator type={TYPES[status ?? ''] ?? 'pending'}>{statusText(status)}</StatusIndicator>;
}

/** The status in words. */
export function statusText(status: string | undefined): string {
  const known: Readonly<Record<string, string>> = nodesTexts.status;
  return known[status ?? ''] ?? visibleLine(status ?? nodesTexts.status.unknown);
}
