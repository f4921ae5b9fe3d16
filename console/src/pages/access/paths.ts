/** The addresses of this area. */

import { pathOf } from '../../router/route.ts';
import type { Holder } from './holder.ts';

const AREAS = { user: 'users', group: 'groups', role: 'roles' } as const;

export const accessPaths = {
  users: '/access/users',
  groups: '/access/groups',
  roles: '/access/roles',
  policies: '/access/policies',
  providers: '/access/providers',
  simulator: '/access/simulator',
  newPolicy: '/access/new-policy',
  newRole: '/access/new-role',
} as const;

export function holderPath({ kind, name }: Holder): string {
  return pathOf(`/access/${AREAS[kind]}/:name`, { name });
}

export function policyPath(arn: string): string {
  return pathOf('/access/policies/:arn', { arn });
}

/** The issuer's address without `https://`: so the ARN of a provider has it, and condition keys begin with it. */
export function issuerOf(arn: string): string {
  return arn.slice(arn.indexOf(':oidc-provider/') + ':oidc-provider/'.length);
}

export function providerPath(arn: string): string {
  return pathOf('/access/providers/:arn', { arn });
}

/** Where a policy gets another version. */
export function policyEditPath(arn: string): string {
  return pathOf('/access/policies/:arn/edit', { arn });
}

/** Where an inline policy is read and edited. */
export function inlinePolicyPath({ kind, name }: Holder, policy: string): string {
  return pathOf(`/access/${AREAS[kind]}/:name/inline/:policy`, { name, policy });
}

/** Where one is made. */
export function newInlinePolicyPath({ kind, name }: Holder): string {
  return pathOf(`/access/${AREAS[kind]}/:name/new-inline`, { name });
}

export function trustPolicyPath(name: string): string {
  return pathOf('/access/roles/:name/trust', { name });
}
