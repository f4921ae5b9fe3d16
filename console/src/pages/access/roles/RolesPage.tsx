/** All roles. */

import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';

import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visible, visibleLine } from '../../../ui/visible.ts';
import { decodedDocument, roles } from '../iam.ts';
import { AccessList } from '../parts/AccessList.tsx';
import { Time } from '../parts/Time.tsx';
import { accessPaths, holderPath } from '../paths.ts';
import { trustedBy } from './trusted.ts';

const texts = accessTexts.roles;

export default function RolesPage() {
  const all = useResource(roles, []);
  const create = (
    <Button variant="primary" href={href(accessPaths.newRole)}>
      {texts.create}
    </Button>
  );
  return (
    <AccessList
      area="roles"
      resource={all}
      keyOf={({ RoleName }) => RoleName}
      textOf={({ RoleName, Path, Description = '' }) => `${Path}${RoleName} ${Description}`}
      columns={[
        {
          id: 'name',
          header: accessTexts.name,
          isRowHeader: true,
          sortBy: ({ RoleName }) => RoleName,
          cell: ({ RoleName }) => <Link href={href(holderPath({ kind: 'role', name: RoleName }))}>{visibleLine(RoleName)}</Link>,
        },
        {
          id: 'trusted',
          header: texts.trusted,
          cell: ({ AssumeRolePolicyDocument }) =>
            visibleLine(trustedBy(decodedDocument(AssumeRolePolicyDocument)).join(', ')) || accessTexts.unknown,
        },
        {
          id: 'description',
          header: accessTexts.description,
          cell: ({ Description = '' }) => visible(Description) || accessTexts.unknown,
        },
        {
          id: 'created',
          header: accessTexts.created,
          sortBy: ({ CreateDate }) => CreateDate,
          cell: ({ CreateDate }) => <Time seconds={CreateDate} absent={accessTexts.unknown} />,
        },
      ]}
      create={create}
    />
  );
}
