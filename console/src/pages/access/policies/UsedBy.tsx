/** Who has a policy, as a permission or as a boundary. */

import Link from '@cloudscape-design/components/link';

import { pages } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import type { Holder } from '../holder.ts';
import { Listing } from '../../../ui/table/Listing.tsx';
import { holderPath } from '../paths.ts';

const texts = accessTexts.policies;

interface Use extends Holder {
  readonly usage: iam.PolicyUsageType;
}

export function UsedBy({ arn }: { readonly arn: string }) {
  const uses = useResource((signal) => load(arn, signal), [arn]);
  return (
    <Listing
      title={texts.usedBy}
      things={accessTexts.users.things}
      variant="container"
      resource={uses}
      keyOf={({ kind, name, usage }) => `${kind} ${name} ${usage}`}
      textOf={({ name }) => name}
      columns={[
        {
          id: 'entity',
          header: texts.entity,
          isRowHeader: true,
          sortBy: ({ name }) => name,
          cell: (use) => <Link href={href(holderPath(use))}>{visibleLine(use.name)}</Link>,
        },
        { id: 'kind', header: accessTexts.type, sortBy: ({ kind }) => kind, cell: ({ kind }) => accessTexts.kinds[kind] },
        {
          id: 'usage',
          header: texts.usage,
          cell: ({ usage }) => (usage === 'PermissionsBoundary' ? texts.asBoundary : texts.asPermissions),
        },
      ]}
      empty={{ title: texts.usedByNobody, body: texts.usedByNobodyBody }}
    />
  );
}

async function load(arn: string, signal: AbortSignal): Promise<readonly Use[]> {
  const uses: Use[] = [];
  for (const usage of ['PermissionsPolicy', 'PermissionsBoundary'] as const) {
    const input = { PolicyArn: arn, PolicyUsageFilter: usage };
    for await (const page of pages(iam.ListEntitiesForPolicy, input, signal)) {
      uses.push(
        ...(page.PolicyUsers ?? []).map(({ UserName = '' }) => ({ kind: 'user' as const, name: UserName, usage })),
        ...(page.PolicyGroups ?? []).map(({ GroupName = '' }) => ({ kind: 'group' as const, name: GroupName, usage })),
        ...(page.PolicyRoles ?? []).map(({ RoleName = '' }) => ({ kind: 'role' as const, name: RoleName, usage })),
      );
    }
  }
  return uses;
}
