/** How a call ended. */

import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { auditTexts } from '../../texts/audit.ts';
import { visibleLine } from '../../ui/visible.ts';

const texts = auditTexts.outcome;

export function Outcome({ errorCode }: { readonly errorCode: string | undefined }) {
  if (errorCode === undefined) {
    return <StatusIndicator type="success">{texts.ok}</StatusIndicator>;
  }
  if (errorCode.startsWith('AccessDenied')) {
    return <StatusIndicator type="stopped">{texts.denied}</StatusIndicator>;
  }
  if (errorCode === 'OutcomeUnknown') {
    return <StatusIndicator type="warning">{texts.unknown}</StatusIndicator>;
  }
  return <StatusIndicator type="error">{`${texts.failed}: ${visibleLine(errorCode)}`}</StatusIndicator>;
}
