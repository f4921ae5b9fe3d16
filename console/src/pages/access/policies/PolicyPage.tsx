/** One managed policy. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { href, navigate } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visible, visibleLine } from '../../../ui/visible.ts';
import { isOfAws } from '../iam.ts';
import { ConfirmDelete } from '../../../ui/forms/ConfirmDelete.tsx';
import { CopyText } from '../../../ui/code/CopyText.tsx';
import { Details } from '../../../ui/Details.tsx';
import { Tags } from '../parts/Tags.tsx';
import { Time } from '../parts/Time.tsx';
import { accessPaths, policyEditPath } from '../paths.ts';
import { deletePolicy } from '../removal.ts';
import { Document } from './Document.tsx';
import { policyOf } from './policy.ts';
import { UsedBy } from './UsedBy.tsx';
import { Versions } from './Versions.tsx';

const texts = accessTexts.policies;

export default function PolicyPage({ parameters }: PageProps) {
  const arn = parameters['arn'] ?? '';
  const name = arn.split('/').at(-1) ?? arn;
  const policy = useResource((signal) => policyOf(arn, signal), [arn]);
  const [isDeleting, setIsDeleting] = useState(false);
  const isOurs = !isOfAws(arn);
  return (
    <Details
      name={name}
      resource={policy}
      actions={
        isOurs && (
          <SpaceBetween direction="horizontal" size="xs">
            <ButtonDropdown
              items={[{ id: 'delete', text: accessTexts.details.delete }]}
              onItemClick={() => setIsDeleting(true)}
            >
              {accessTexts.details.actions}
            </ButtonDropdown>
            <Button variant="primary" href={href(policyEditPath(arn))}>
              {texts.edit}
            </Button>
          </SpaceBetween>
        )
      }
      facts={({ Arn = '', PolicyId = '', Description = '', CreateDate, UpdateDate, DefaultVersionId = '' }) => [
        { label: accessTexts.arn, value: <CopyText text={Arn} /> },
        { label: accessTexts.id, value: <CopyText text={PolicyId} /> },
        { label: accessTexts.type, value: isOurs ? accessTexts.ofAccount : accessTexts.ofAws },
        { label: accessTexts.description, value: visible(Description) || accessTexts.unknown },
        { label: texts.inForce, value: visibleLine(DefaultVersionId) },
        { label: accessTexts.created, value: <Time seconds={CreateDate} absent={accessTexts.unknown} /> },
        { label: accessTexts.changed, value: <Time seconds={UpdateDate} absent={accessTexts.unknown} /> },
      ]}
      parts={({ DefaultVersionId = 'v1', Tags: tags = [] }) => [
        { id: 'document', label: texts.document, content: <Document arn={arn} inForce={DefaultVersionId} /> },
        {
          id: 'versions',
          label: texts.versions,
          content: <Versions arn={arn} isOurs={isOurs} inForce={DefaultVersionId} onChange={policy.reload} />,
        },
        { id: 'used-by', label: texts.usedBy, content: <UsedBy arn={arn} /> },
        ...(isOurs
          ? [
              {
                id: 'tags',
                label: accessTexts.tags.title,
                content: (
                  <Tags
                    tags={tags}
                    onSaved={policy.reload}
                    onSet={(set) => call(iam.TagPolicy, { PolicyArn: arn, Tags: set })}
                    onRemove={(keys) => call(iam.UntagPolicy, { PolicyArn: arn, TagKeys: keys })}
                  />
                ),
              },
            ]
          : []),
      ]}
    >
      {isDeleting && (
        <ConfirmDelete
          kind={accessTexts.kinds.policy}
          name={name}
          consequences={accessTexts.remove.policy}
          onDelete={() => deletePolicy(arn)}
          onDone={() => navigate(accessPaths.policies)}
          onClose={() => setIsDeleting(false)}
        />
      )}
    </Details>
  );
}
