/** All managed policies, AWS's and the account's own. */

import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';

import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visible, visibleLine } from '../../../ui/visible.ts';
import { isOfAws, policies } from '../iam.ts';
import { AccessList } from '../parts/AccessList.tsx';
import { Time } from '../parts/Time.tsx';
import { accessPaths, policyPath } from '../paths.ts';

const texts = accessTexts.policies;

export default function PoliciesPage() {
  const all = useResource(policies, []);
  const create = (
    <Button variant="primary" href={href(accessPaths.newPolicy)}>
      {texts.create}
    </Button>
  );
  return (
    <AccessList
      area="policies"
      resource={all}
      keyOf={({ Arn = '' }) => Arn}
      textOf={({ PolicyName = '', Description = '' }) => `${PolicyName} ${Description}`}
      columns={[
        {
          id: 'name',
          header: accessTexts.name,
          isRowHeader: true,
          sortBy: ({ PolicyName = '' }) => PolicyName,
          cell: ({ PolicyName = '', Arn = '' }) => <Link href={href(policyPath(Arn))}>{visibleLine(PolicyName)}</Link>,
        },
        {
          id: 'type',
          header: accessTexts.type,
          sortBy: ({ Arn = '' }) => (isOfAws(Arn) ? 1 : 0),
          cell: ({ Arn = '' }) => (isOfAws(Arn) ? accessTexts.ofAws : accessTexts.ofAccount),
        },
        {
          id: 'attachments',
          header: accessTexts.attachments,
          sortBy: ({ AttachmentCount = 0 }) => AttachmentCount,
          cell: ({ AttachmentCount = 0 }) => accessTexts.attachmentCount(AttachmentCount),
        },
        {
          id: 'description',
          header: accessTexts.description,
          cell: ({ Description = '' }) => visible(Description) || accessTexts.unknown,
        },
        {
          id: 'changed',
          header: accessTexts.changed,
          sortBy: ({ UpdateDate = 0 }) => UpdateDate,
          cell: ({ UpdateDate }) => <Time seconds={UpdateDate} absent={accessTexts.unknown} />,
        },
      ]}
      create={create}
    />
  );
}
