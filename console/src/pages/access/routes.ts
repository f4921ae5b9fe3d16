/** The pages about who may do what. */

import type { Crumb, Route } from '../../router/route.ts';
import { accessTexts } from '../../texts/access.ts';
import { frameTexts } from '../../texts/frame.ts';
import { visibleLine } from '../../ui/visible.ts';
import type { HolderKind } from './holder.ts';
import { accessPaths, holderPath, issuerOf, policyPath, providerPath } from './paths.ts';

const AREA: Crumb = { text: frameTexts.navigation.access, path: '/access' };
const KINDS = {
  user: { area: { text: accessTexts.areas.users, path: accessPaths.users }, load: () => import('./users/UserPage.tsx') },
  group: { area: { text: accessTexts.areas.groups, path: accessPaths.groups }, load: () => import('./groups/GroupPage.tsx') },
  role: { area: { text: accessTexts.areas.roles, path: accessPaths.roles }, load: () => import('./roles/RolePage.tsx') },
} as const;
const POLICIES: Crumb = { text: accessTexts.areas.policies, path: accessPaths.policies };

export const routes: readonly Route[] = [
  list('/access', accessTexts.areas.users, () => import('./users/UsersPage.tsx')),
  list(accessPaths.users, accessTexts.areas.users, () => import('./users/UsersPage.tsx')),
  list(accessPaths.groups, accessTexts.areas.groups, () => import('./groups/GroupsPage.tsx')),
  list(accessPaths.roles, accessTexts.areas.roles, () => import('./roles/RolesPage.tsx')),
  list(accessPaths.policies, accessTexts.areas.policies, () => import('./policies/PoliciesPage.tsx')),
  list(accessPaths.providers, accessTexts.areas.providers, () => import('./providers/ProvidersPage.tsx')),
  list(accessPaths.simulator, accessTexts.areas.simulator, () => import('./simulation/SimulatorPage.tsx')),
  ...(['user', 'group', 'role'] as const).flatMap(ofHolder),
  {
    pattern: '/access/roles/:name/trust',
    title: ({ name = '' }) => `${accessTexts.roles.trust}: ${visibleLine(name)}`,
    crumbs: ({ name = '' }) => [
      ...trail('role', name),
      { text: accessTexts.roles.trust, path: `${holderPath({ kind: 'role', name })}/trust` },
    ],
    layout: 'default',
    load: () => import('./roles/TrustPolicyPage.tsx'),
  },
  {
    pattern: accessPaths.newRole,
    title: () => accessTexts.roles.create,
    crumbs: () => [AREA, KINDS.role.area, { text: accessTexts.roles.create, path: accessPaths.newRole }],
    layout: 'default',
    load: () => import('./roles/NewRolePage.tsx'),
  },
  {
    pattern: accessPaths.newPolicy,
    title: () => accessTexts.policies.create,
    crumbs: () => [AREA, POLICIES, { text: accessTexts.policies.create, path: accessPaths.newPolicy }],
    layout: 'default',
    load: () => import('./policies/NewPolicyPage.tsx'),
  },
  {
    pattern: '/access/policies/:arn',
    title: ({ arn = '' }) => policyName(arn),
    crumbs: ({ arn = '' }) => policyTrail(arn),
    layout: 'default',
    load: () => import('./policies/PolicyPage.tsx'),
  },
  {
    pattern: '/access/policies/:arn/edit',
    title: ({ arn = '' }) => accessTexts.policies.editTitle(policyName(arn)),
    crumbs: ({ arn = '' }) => [...policyTrail(arn), { text: accessTexts.policies.edit, path: `${policyPath(arn)}/edit` }],
    layout: 'default',
    load: () => import('./policies/EditPolicyPage.tsx'),
  },
  {
    pattern: '/access/providers/:arn',
    title: ({ arn = '' }) => providerName(arn),
    crumbs: ({ arn = '' }) => [
      AREA,
      { text: accessTexts.areas.providers, path: accessPaths.providers },
      { text: providerName(arn), path: providerPath(arn) },
    ],
    layout: 'default',
    load: () => import('./providers/ProviderPage.tsx'),
  },
];

function list(pattern: string, title: string, load: Route['load']): Route {
  return { pattern, title: () => title, crumbs: () => [AREA, { text: title, path: pattern }], layout: 'default', load };
}

/** The pages of a user, a group or a role. */
function ofHolder(kind: HolderKind): readonly Route[] {
  const base = `${KINDS[kind].area.path}/:name`;
  const loadInline = async () => {
    const { inlinePolicyPage } = await import('./permissions/InlinePolicyPage.tsx');
    return { default: inlinePolicyPage(kind) };
  };
  return [
    {
      pattern: base,
      title: ({ name = '' }) => visibleLine(name),
      crumbs: ({ name = '' }) => trail(kind, name),
      layout: 'default',
      load: KINDS[kind].load,
    },
    {
      pattern: `${base}/new-inline`,
      title: () => accessTexts.permissions.addInline,
      crumbs: ({ name = '' }) => [
        ...trail(kind, name),
        { text: accessTexts.permissions.addInline, path: `${holderPath({ kind, name })}/new-inline` },
      ],
      layout: 'default',
      load: loadInline,
    },
    {
      pattern: `${base}/inline/:policy`,
      title: ({ policy = '' }) => visibleLine(policy),
      crumbs: ({ name = '', policy = '' }) => [
        ...trail(kind, name),
        { text: visibleLine(policy), path: `${holderPath({ kind, name })}/inline/${encodeURIComponent(policy)}` },
      ],
      layout: 'default',
      load: loadInline,
    },
  ];
}

function trail(kind: HolderKind, name: string): readonly Crumb[] {
  return [AREA, KINDS[kind].area, { text: visibleLine(name), path: holderPath({ kind, name }) }];
}

function policyTrail(arn: string): readonly Crumb[] {
  return [AREA, POLICIES, { text: policyName(arn), path: policyPath(arn) }];
}

function providerName(arn: string): string {
  return visibleLine(issuerOf(arn));
}

function policyName(arn: string): string {
  return visibleLine(arn.split('/').at(-1) ?? arn);
}
