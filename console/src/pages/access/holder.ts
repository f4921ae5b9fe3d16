/** Users, groups and roles: what has policies. Each operation is there three times in IAM; here once. */

import { all, call } from '../../api/call.ts';
import * as iam from '../../api/generated/iam.ts';
import { decodedDocument } from './iam.ts';

export type HolderKind = 'user' | 'group' | 'role';

export interface Holder {
  readonly kind: HolderKind;
  readonly name: string;
}

/** Who can have a boundary. */
export type Bounded = Holder & { readonly kind: 'user' | 'role' };

interface PolicyOperations {
  readonly attached: (name: string, signal?: AbortSignal) => Promise<readonly iam.AttachedPolicy[]>;
  readonly attach: (name: string, arn: string) => Promise<unknown>;
  readonly detach: (name: string, arn: string) => Promise<unknown>;
  readonly inline: (name: string, signal?: AbortSignal) => Promise<readonly string[]>;
  /** The document, still encoded. */
  readonly read: (name: string, policy: string, signal?: AbortSignal) => Promise<string>;
  readonly write: (name: string, policy: string, document: string) => Promise<unknown>;
  readonly remove: (name: string, policy: string) => Promise<unknown>;
}

const OPERATIONS: Readonly<Record<HolderKind, PolicyOperations>> = {
  user: {
    attached: (UserName, signal) => all(iam.ListAttachedUserPolicies, { UserName }, (page) => page.AttachedPolicies, signal),
    attach: (UserName, PolicyArn) => call(iam.AttachUserPolicy, { UserName, PolicyArn }),
    detach: (UserName, PolicyArn) => call(iam.DetachUserPolicy, { UserName, PolicyArn }),
    inline: (UserName, signal) => all(iam.ListUserPolicies, { UserName }, (page) => page.PolicyNames, signal),
    read: async (UserName, PolicyName, signal) => (await call(iam.GetUserPolicy, { UserName, PolicyName }, signal)).PolicyDocument,
    write: (UserName, PolicyName, PolicyDocument) => call(iam.PutUserPolicy, { UserName, PolicyName, PolicyDocument }),
    remove: (UserName, PolicyName) => call(iam.DeleteUserPolicy, { UserName, PolicyName }),
  },
  group: {
    attached: (GroupName, signal) => all(iam.ListAttachedGroupPolicies, { GroupName }, (page) => page.AttachedPolicies, signal),
    attach: (GroupName, PolicyArn) => call(iam.AttachGroupPolicy, { GroupName, PolicyArn }),
    detach: (GroupName, PolicyArn) => call(iam.DetachGroupPolicy, { GroupName, PolicyArn }),
    inline: (GroupName, signal) => all(iam.ListGroupPolicies, { GroupName }, (page) => page.PolicyNames, signal),
    read: async (GroupName, PolicyName, signal) =>
      (await call(iam.GetGroupPolicy, { GroupName, PolicyName }, signal)).PolicyDocument,
    write: (GroupName, PolicyName, PolicyDocument) => call(iam.PutGroupPolicy, { GroupName, PolicyName, PolicyDocument }),
    remove: (GroupName, PolicyName) => call(iam.DeleteGroupPolicy, { GroupName, PolicyName }),
  },
  role: {
    attached: (RoleName, signal) => all(iam.ListAttachedRolePolicies, { RoleName }, (page) => page.AttachedPolicies, signal),
    attach: (RoleName, PolicyArn) => call(iam.AttachRolePolicy, { RoleName, PolicyArn }),
    detach: (RoleName, PolicyArn) => call(iam.DetachRolePolicy, { RoleName, PolicyArn }),
    inline: (RoleName, signal) => all(iam.ListRolePolicies, { RoleName }, (page) => page.PolicyNames, signal),
    read: async (RoleName, PolicyName, signal) => (await call(iam.GetRolePolicy, { RoleName, PolicyName }, signal)).PolicyDocument,
    write: (RoleName, PolicyName, PolicyDocument) => call(iam.PutRolePolicy, { RoleName, PolicyName, PolicyDocument }),
    remove: (RoleName, PolicyName) => call(iam.DeleteRolePolicy, { RoleName, PolicyName }),
  },
};

export function attachedPolicies({ kind, name }: Holder, signal?: AbortSignal): Promise<readonly iam.AttachedPolicy[]> {
  return OPERATIONS[kind].attached(name, signal);
}

export async function attachPolicy({ kind, name }: Holder, arn: string): Promise<void> {
  await OPERATIONS[kind].attach(name, arn);
}

export async function detachPolicy({ kind, name }: Holder, arn: string): Promise<void> {
  await OPERATIONS[kind].detach(name, arn);
}

export function inlinePolicies({ kind, name }: Holder, signal?: AbortSignal): Promise<readonly string[]> {
  return OPERATIONS[kind].inline(name, signal);
}

export async function inlinePolicy({ kind, name }: Holder, policy: string, signal?: AbortSignal): Promise<string> {
  return decodedDocument(await OPERATIONS[kind].read(name, policy, signal));
}

export async function putInlinePolicy({ kind, name }: Holder, policy: string, document: string): Promise<void> {
  await OPERATIONS[kind].write(name, policy, document);
}

export async function deleteInlinePolicy({ kind, name }: Holder, policy: string): Promise<void> {
  await OPERATIONS[kind].remove(name, policy);
}

export async function setBoundary({ kind, name }: Bounded, arn: string): Promise<void> {
  await (kind === 'user'
    ? call(iam.PutUserPermissionsBoundary, { UserName: name, PermissionsBoundary: arn })
    : call(iam.PutRolePermissionsBoundary, { RoleName: name, PermissionsBoundary: arn }));
}

export async function removeBoundary({ kind, name }: Bounded): Promise<void> {
  await (kind === 'user'
    ? call(iam.DeleteUserPermissionsBoundary, { UserName: name })
    : call(iam.DeleteRolePermissionsBoundary, { RoleName: name }));
}
