/** One user. */

import { useState } from 'react';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { navigate } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { Credentials } from '../credentials/Credentials.tsx';
import { ConfirmDelete } from '../../../ui/forms/ConfirmDelete.tsx';
import { CopyText } from '../../../ui/code/CopyText.tsx';
import { Details } from '../../../ui/Details.tsx';
import { HolderActions } from '../parts/HolderActions.tsx';
import { Rename } from '../parts/Rename.tsx';
import { RevokeSessions } from '../parts/RevokeSessions.tsx';
import { Tags } from '../parts/Tags.tsx';
import { Time } from '../parts/Time.tsx';
import { accessPaths } from '../paths.ts';
import { Permissions } from '../permissions/Permissions.tsx';
import { deleteUser } from '../removal.ts';
import { Memberships } from './Memberships.tsx';

export default function UserPage({ parameters }: PageProps) {
  const name = parameters['name'] ?? '';
  const user = useResource(async (signal) => (await call(iam.GetUser, { UserName: name }, signal)).User, [name]);
  const [open, setOpen] = useState<'delete' | 'rename' | 'revoke'>();
  const close = () => setOpen(undefined);
  return (
    <Details
      name={name}
      resource={user}
      actions={
        <HolderActions
          arn={user.value?.Arn}
          onRename={() => setOpen('rename')}
          onRevoke={() => setOpen('revoke')}
          onDelete={() => setOpen('delete')}
        />
      }
      facts={({ Arn, UserId, Path, CreateDate, PasswordLastUsed }) => [
        { label: accessTexts.arn, value: <CopyText text={Arn} /> },
        { label: accessTexts.id, value: <CopyText text={UserId} /> },
        { label: accessTexts.path, value: visibleLine(Path) },
        { label: accessTexts.created, value: <Time seconds={CreateDate} absent={accessTexts.unknown} /> },
        { label: accessTexts.lastSignIn, value: <Time seconds={PasswordLastUsed} absent={accessTexts.never} /> },
      ]}
      parts={({ PermissionsBoundary, Tags: tags = [] }) => [
        {
          id: 'permissions',
          label: accessTexts.permissions.title,
          content: (
            <Permissions
              holder={{ kind: 'user', name }}
              boundary={{
                of: { kind: 'user', name },
                arn: PermissionsBoundary?.PermissionsBoundaryArn,
                onChange: user.reload,
              }}
            />
          ),
        },
        { id: 'groups', label: accessTexts.memberships.title, content: <Memberships userName={name} /> },
        { id: 'credentials', label: accessTexts.credentials.title, content: <Credentials userName={name} /> },
        {
          id: 'tags',
          label: accessTexts.tags.title,
          content: (
            <Tags
              tags={tags}
              onSaved={user.reload}
              onSet={(set) => call(iam.TagUser, { UserName: name, Tags: set })}
              onRemove={(keys) => call(iam.UntagUser, { UserName: name, TagKeys: keys })}
            />
          ),
        },
      ]}
    >
      {open === 'delete' && (
        <ConfirmDelete
          kind={accessTexts.kinds.user}
          name={name}
          consequences={accessTexts.remove.user}
          onDelete={() => deleteUser(name)}
          onDone={() => navigate(accessPaths.users)}
          onClose={close}
        />
      )}
      {open === 'rename' && <Rename kind="user" name={name} onClose={close} />}
      {open === 'revoke' && user.value && (
        <RevokeSessions arn={user.value.Arn} name={name} body={accessTexts.revoke.user(visibleLine(name))} onClose={close} />
      )}
    </Details>
  );
}
