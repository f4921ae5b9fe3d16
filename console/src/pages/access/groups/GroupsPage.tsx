/** All groups. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { href, navigate } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { groups } from '../iam.ts';
import { AccessTabs } from '../parts/AccessTabs.tsx';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { Listing } from '../../../ui/table/Listing.tsx';
import { Time } from '../parts/Time.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { holderPath } from '../paths.ts';

const texts = accessTexts.groups;

export default function GroupsPage() {
  const all = useResource(groups, []);
  const [isCreating, setIsCreating] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setIsCreating(true)}>
      {texts.create}
    </Button>
  );
  return (
    <AccessTabs active="groups">
      <Listing
        title={texts.title}
        description={texts.description}
        things={texts.things}
        variant="page"
        filterName="find"
        resource={all}
        keyOf={({ GroupName }) => GroupName}
        textOf={({ GroupName, Path }) => `${Path}${GroupName}`}
        columns={[
          {
            id: 'name',
            header: accessTexts.name,
            isRowHeader: true,
            sortBy: ({ GroupName }) => GroupName,
            cell: ({ GroupName }) => (
              <Link href={href(holderPath({ kind: 'group', name: GroupName }))}>{visibleLine(GroupName)}</Link>
            ),
          },
          { id: 'path', header: accessTexts.path, sortBy: ({ Path }) => Path, cell: ({ Path }) => visibleLine(Path) },
          {
            id: 'created',
            header: accessTexts.created,
            sortBy: ({ CreateDate }) => CreateDate,
            cell: ({ CreateDate }) => <Time seconds={CreateDate} absent={accessTexts.unknown} />,
          },
        ]}
        empty={{ title: texts.empty, body: texts.emptyBody, action: create }}
        actions={create}
      />
      {isCreating && <CreateGroup onClose={() => setIsCreating(false)} />}
    </AccessTabs>
  );
}

function CreateGroup({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const action = useAction();
  const create = async () => {
    if (await action.run(async () => void (await call(iam.CreateGroup, { GroupName: name })))) {
      notify({ type: 'success', header: texts.created(visibleLine(name)) });
      navigate(holderPath({ kind: 'group', name }));
    }
  };
  return (
    <FormModal
      title={texts.create}
      submitText={texts.create}
      action={action}
      isReady={name !== ''}
      onSubmit={() => void create()}
      onClose={onClose}
    >
      <FormField label={accessTexts.name} constraintText={partTexts.forms.nameHint}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}
