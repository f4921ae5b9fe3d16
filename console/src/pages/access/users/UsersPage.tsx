/** All users. */

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
import { users } from '../iam.ts';
import { AccessTabs } from '../parts/AccessTabs.tsx';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { Listing } from '../../../ui/table/Listing.tsx';
import { Time } from '../parts/Time.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { holderPath } from '../paths.ts';

const texts = accessTexts.users;

export default function UsersPage() {
  const all = useResource(users, []);
  const [isCreating, setIsCreating] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setIsCreating(true)}>
      {texts.create}
    </Button>
  );
  return (
    <AccessTabs active="users">
      <Listing
        title={texts.title}
        description={texts.description}
        things={texts.things}
        variant="page"
        filterName="find"
        resource={all}
        keyOf={({ UserName }) => UserName}
        textOf={({ UserName, Path }) => `${Path}${UserName}`}
        columns={[
          {
            id: 'name',
            header: accessTexts.name,
            isRowHeader: true,
            sortBy: ({ UserName }) => UserName,
            cell: ({ UserName }) => <Link href={href(holderPath({ kind: 'user', name: UserName }))}>{visibleLine(UserName)}</Link>,
          },
          { id: 'path', header: accessTexts.path, sortBy: ({ Path }) => Path, cell: ({ Path }) => visibleLine(Path) },
          {
            id: 'created',
            header: accessTexts.created,
            sortBy: ({ CreateDate }) => CreateDate,
            cell: ({ CreateDate }) => <Time seconds={CreateDate} absent={accessTexts.unknown} />,
          },
          {
            id: 'lastSignIn',
            header: accessTexts.lastSignIn,
            sortBy: ({ PasswordLastUsed = 0 }) => PasswordLastUsed,
            cell: ({ PasswordLastUsed }) => <Time seconds={PasswordLastUsed} absent={accessTexts.never} />,
          },
        ]}
        empty={{ title: texts.empty, body: texts.emptyBody, action: create }}
        actions={create}
      />
      {isCreating && <CreateUser onClose={() => setIsCreating(false)} />}
    </AccessTabs>
  );
}

function CreateUser({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [path, setPath] = useState('/');
  const action = useAction();
  const create = async () => {
    if (await action.run(async () => void (await call(iam.CreateUser, { UserName: name, Path: path })))) {
      notify({ type: 'success', header: texts.created(visibleLine(name)) });
      navigate(holderPath({ kind: 'user', name }));
    }
  };
  return (
    <FormModal
      title={texts.create}
      submitText={texts.create}
      action={action}
      isReady={name !== '' && path !== ''}
      onSubmit={() => void create()}
      onClose={onClose}
    >
      <FormField label={accessTexts.name} constraintText={partTexts.forms.nameHint}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
      <FormField label={accessTexts.path} constraintText={partTexts.forms.pathHint}>
        <Input value={path} onChange={({ detail }) => setPath(detail.value)} autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}
