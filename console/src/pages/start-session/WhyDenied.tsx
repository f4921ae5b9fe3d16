/** A denied call with the statement that decided, as far as one may know. */

import Box from '@cloudscape-design/components/box';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { call } from '../../api/call.ts';
import { ApiError } from '../../api/errors.ts';
import * as iam from '../../api/generated/iam.ts';
import { startSessionTexts } from '../../texts/start-session.ts';
import { ProblemAlert } from '../../ui/ProblemAlert.tsx';
import { useResource } from '../../ui/resource.ts';
import { visible, visibleLine } from '../../ui/visible.ts';
import { readTags } from '../nodes/tags.ts';
import './explanation.css';
import { parseDenial, policySourceOf, type Denial } from '../../ui/denial/denial.ts';

const texts = startSessionTexts.denied;
/** Asks for the explanation in words, as `postern explain` does (crates/server/src/routes/iam/simulation.rs). */
const EXPLAIN = { ContextKeyName: 'postern:Explain', ContextKeyType: 'boolean', ContextKeyValues: ['true'] } as const;

export function CallProblem({ error }: { readonly error: unknown }) {
  const denial = error instanceof ApiError && error.isDenial ? parseDenial(error.message) : undefined;
  return <ProblemAlert error={error}>{denial && <Why denial={denial} />}</ProblemAlert>;
}

function Why({ denial }: { readonly denial: Denial }) {
  const results = useResource((signal) => explain(denial, signal), [denial]);
  return (
    <ExpandableSection headerText={texts.why} defaultExpanded>
      <Box variant="p">{texts.asked(visibleLine(denial.action), visibleLine(denial.resource))}</Box>
      {results.isLoading && <StatusIndicator type="loading">{texts.loading}</StatusIndicator>}
      {results.error !== undefined && <Box color="text-body-secondary">{texts.unknown}</Box>}
      {results.value?.map((result) => (
        <Result key={`${result.EvalActionName} ${result.EvalResourceName ?? ''}`} result={result} />
      ))}
    </ExpandableSection>
  );
}

function Result({ result }: { readonly result: iam.EvaluationResult }) {
  // The request was refused for something of it that a simulation does not have.
  if (result.EvalDecision === 'allowed') {
    return <Box color="text-body-secondary">{texts.differs}</Box>;
  }
  const explanation = result.EvalDecisionDetails?.['Explanation'];
  return (
    <>
      {result.MatchedStatements?.map(({ SourcePolicyId = '', StartPosition }) => (
        <Box key={`${SourcePolicyId}:${StartPosition?.Line ?? 0}`} variant="p">
          {texts.matched(visibleLine(SourcePolicyId), StartPosition?.Line ?? 0, StartPosition?.Column ?? 0)}
        </Box>
      ))}
      {explanation !== undefined && <pre className="explanation">{visible(explanation)}</pre>}
    </>
  );
}

/** What would be decided if the same were asked again, with what is known of the node. */
async function explain({ principal, action, resource }: Denial, signal: AbortSignal): Promise<readonly iam.EvaluationResult[]> {
  const source = policySourceOf(principal);
  if (source === undefined) {
    return [];
  }
  const input: iam.SimulatePrincipalPolicyInput = {
    PolicySourceArn: source,
    ActionNames: [action],
    ResourceArns: [resource],
    ContextEntries: [EXPLAIN, ...(await tagsOf(resource, signal))],
  };
  const output = await call(iam.SimulatePrincipalPolicy, input, signal);
  return output.EvaluationResults ?? [];
}

/** A node's tags as policies see them (docs/access.md). Who may not read them is told what is decided without. */
async function tagsOf(resource: string, signal: AbortSignal): Promise<readonly iam.ContextEntry[]> {
  const nodeId = /:managed-instance\/(mi-[0-9a-f]{17})$/.exec(resource)?.[1];
  if (nodeId === undefined) {
    return [];
  }
  try {
    const tags = await readTags(nodeId, signal);
    return tags.flatMap(({ Key, Value }) =>
      ['ssm:resourceTag/', 'aws:ResourceTag/'].map((prefix) => ({
        ContextKeyName: prefix + Key,
        ContextKeyType: 'string' as const,
        ContextKeyValues: [Value],
      })),
    );
  } catch (error) {
    if (error instanceof ApiError) {
      return [];
    }
    throw error;
  }
}
