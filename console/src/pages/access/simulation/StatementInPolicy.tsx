/** A statement, highlighted in the policy it stands in. */

import { Loading } from '../../../app/Loading.tsx';
import Box from '@cloudscape-design/components/box';

import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { CodeView } from '../../../ui/code/CodeView.tsx';
import { formatted } from '../policy/examples.ts';
import { statementSpans } from '../policy/statements.ts';
import { documentNamed } from './documents.ts';
import type { StatementName } from './explanation.ts';

const texts = accessTexts.simulator;

/** What was simulated. */
export interface Source {
  readonly principal: string;
  /** The policy of one's own, if there is no principal. */
  readonly document: string;
}

interface Props {
  readonly statement: StatementName;
  readonly source: Source;
}

export function StatementInPolicy({ statement: { policy, number }, source: { principal, document } }: Props) {
  const found = useResource(
    async (signal) => (await documentNamed(policy, principal, document, signal)) ?? null,
    [policy, principal, document],
  );
  if (found.value === undefined) {
    return found.error === undefined ? <Loading /> : <Failure error={found.error} retry={found.reload} />;
  }
  if (found.value === null) {
    return <Box color="text-body-secondary">{texts.noDocument}</Box>;
  }
  const text = formatted(found.value) ?? found.value;
  const span = statementSpans(text)[number - 1];
  const marks = span ? [{ ...span, kind: 'matched' as const }] : [];
  return <CodeView text={text} label={texts.policyShown(visibleLine(policy))} marks={marks} />;
}
