/** The documents that a decision names. The server gives policies names that people know, not addresses. */

import { ApiError } from '../../../api/errors.ts';
import { inlinePolicy, type Holder, type HolderKind } from '../holder.ts';
import { groupsOf, policies } from '../iam.ts';
import { policyDocument } from '../policies/policy.ts';

/** Whose policies are simulated. */
export function holderOf(arn: string): Holder | undefined {
  const [, kind, path] = /^arn:aws:iam::\d{12}:(user|group|role)\/(.+)$/.exec(arn) ?? [];
  const name = path?.split('/').at(-1);
  return kind === undefined || name === undefined ? undefined : { kind: kind as HolderKind, name };
}

/**
 * The document of a policy by the name that the simulation gives it: `PolicyInputList.1`, `user_alice_inline`, `group_ops_inline`,
 * the name of a managed policy, or the ARN of a boundary. Nothing if it cannot be found.
 */
export async function documentNamed(
  policy: string,
  principal: string,
  ownDocument: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (policy === 'PolicyInputList.1') {
    return ownDocument;
  }
  if (policy.startsWith('arn:')) {
    return policyDocument(policy, undefined, signal);
  }
  const inline = await inlineNamed(policy, principal, signal);
  if (inline !== undefined) {
    return inline;
  }
  const managed = (await policies(signal)).find(({ PolicyName }) => PolicyName === policy);
  return managed?.Arn === undefined ? undefined : policyDocument(managed.Arn, undefined, signal);
}

async function inlineNamed(policy: string, principal: string, signal: AbortSignal): Promise<string | undefined> {
  const own = holderOf(principal);
  const isOfGroup = policy.startsWith('group_') && own?.kind === 'user';
  const groups = isOfGroup ? await groupsOf(own.name, signal) : [];
  const holders: readonly Holder[] = [
    ...(own ? [own] : []),
    ...groups.map(({ GroupName }) => ({ kind: 'group' as const, name: GroupName })),
  ];
  for (const holder of holders) {
    const name = afterPrefix(policy, `${holder.kind}_${holder.name}_`);
    const document = name === undefined ? undefined : await unlessMissing(inlinePolicy(holder, name, signal));
    if (document !== undefined) {
      return document;
    }
  }
  return undefined;
}

function afterPrefix(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

/** Names may contain what separates them, so a wrong guess is no error. */
async function unlessMissing(document: Promise<string>): Promise<string | undefined> {
  try {
    return await document;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'NoSuchEntity') {
      return undefined;
    }
    throw error;
  }
}
