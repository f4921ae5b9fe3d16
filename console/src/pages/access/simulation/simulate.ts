/** Asks the server, and reads its answer. */

import { all, call } from '../../../api/call.ts';
import { isAbort } from '../../../api/errors.ts';
import * as iam from '../../../api/generated/iam.ts';
import * as ssm from '../../../api/generated/ssm.ts';
import { accessTexts } from '../../../texts/access.ts';
import { problemOf } from '../../../ui/problem.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { parseExplanation, type Explanation } from './explanation.ts';
import { actionsOf, entriesOf, nodesOf, resourcesOf, withTags, type Question } from './question.ts';

/** What the server decided about one action on one resource. */
export interface Outcome {
  readonly action: string;
  readonly resource: string;
  readonly decision: iam.PolicyEvaluationDecisionType;
  readonly explanation: Explanation | undefined;
  readonly matched: readonly iam.Statement[];
  readonly missing: readonly string[];
  /** False if the boundary is silent; nothing if there is none. */
  readonly isWithinBoundary: boolean | undefined;
  /** The same of the account's guardrails. */
  readonly isWithinGuardrails: boolean | undefined;
}

export interface Simulated {
  readonly outcomes: readonly Outcome[];
  /** What was added to the question, or could not be. */
  readonly notes: readonly string[];
}

/** The server's name of the explanation among the details of a result. */
const EXPLANATION = 'Explanation';

export async function simulate(question: Question, document: string, signal: AbortSignal): Promise<Simulated> {
  const { context, notes } = await contextOf(question, signal);
  const common = {
    ActionNames: actionsOf(question),
    ResourceArns: resourcesOf(question),
    ContextEntries: entriesOf(context),
  };
  const found = (page: iam.SimulatePrincipalPolicyOutput) => page.EvaluationResults;
  const results =
    question.principal === ''
      ? await all(iam.SimulateCustomPolicy, { ...common, PolicyInputList: [document] }, found, signal)
      : await all(
          iam.SimulatePrincipalPolicy,
          { ...common, PolicySourceArn: await sourceOf(question.principal, signal) },
          found,
          signal,
        );
  return { outcomes: results.map(outcome), notes };
}

/** The ARN of a role with its path, which the ARN of its sessions has not. What is no role, or cannot be read, stays. */
async function sourceOf(principal: string, signal: AbortSignal): Promise<string> {
  const [, name] = /^arn:aws:iam::\d{12}:role\/([^/]+)$/.exec(principal) ?? [];
  if (name === undefined) {
    return principal;
  }
  try {
    return (await call(iam.GetRole, { RoleName: name }, signal)).Role.Arn;
  } catch (error) {
    if (isAbort(error)) {
      throw error;
    }
    return principal;
  }
}

function outcome(result: iam.EvaluationResult): Outcome {
  const text = result.EvalDecisionDetails?.[EXPLANATION];
  return {
    action: result.EvalActionName,
    resource: result.EvalResourceName ?? '*',
    decision: result.EvalDecision,
    explanation: text === undefined ? undefined : parseExplanation(text),
    matched: result.MatchedStatements ?? [],
    missing: (result.MissingContextValues ?? []).filter((key) => key !== ''),
    isWithinBoundary: result.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary,
    isWithinGuardrails: result.OrganizationsDecisionDetail?.AllowedByOrganizations,
  };
}

/** The context of the question with the tags of the node, as `postern explain` adds them. */
async function contextOf(question: Question, signal: AbortSignal) {
  let context = question.context;
  const notes: string[] = [];
  const nodes = nodesOf(question);
  // Of several nodes the tags would be mixed up.
  for (const node of nodes.length === 1 ? nodes : []) {
    try {
      const input = { ResourceType: 'ManagedInstance', ResourceId: node } as const;
      const { TagList = [] } = await call(ssm.ListTagsForResource, input, signal);
      if (TagList.length > 0) {
        context = withTags(context, TagList);
        notes.push(accessTexts.simulator.tagsOf(visibleLine(node)));
      }
    } catch (error) {
      if (isAbort(error)) {
        throw error;
      }
      notes.push(accessTexts.simulator.tagsUnknown(visibleLine(node), problemOf(error).message));
    }
  }
  return { context, notes };
}
