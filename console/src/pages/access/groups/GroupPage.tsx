/** One group. */

import { useState } from 'react';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { navigate } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { ConfirmDelete } from '../../../ui/forms/ConfirmDelete.tsx';
import { CopyText } from '../../../ui/code/CopyText.tsx';
import { Details } from '../../../ui/Details.tsx';
import { HolderActions } from '../parts/HolderActions.tsx';
import { Rename } from '../parts/Rename.tsx';
import { Time } from '../parts/Time.tsx';
import { accessPaths } from '../paths.ts';
import { Permissions } from '../permissions/Permissions.tsx';
import { deleteGroup } from '../removal.ts';
import { Members } from './Members.tsx';

export default function GroupPage({ parameters }: PageProps) {
  const name = parameters['name'] ?? '';
  const group = useResource(async (signal) => (await call(iam.GetGroup, { GroupName: name, MaxItems: 1 }, signal)).Group, [name]);
  const [open, setOpen] = useState<'delete' | 'rename'>();
  const close = () => setOpen(undefined);
  return (
    <Details
      name={name}
      resource={group}
      actions={<HolderActions arn={group.value?.Arn} onRename={() => setOpen('rename')} onDelete={() => setOpen('delete')} />}
      facts={({ Arn, GroupId, Path, CreateDate }) => [
        { label: accessTexts.arn, value: <CopyText text={Arn} /> },
        { label: accessTexts.id, value: <CopyText text={GroupId} /> },
        { label: accessTexts.path, value: visibleLine(Path) },
        { label: accessTexts.created, value: <Time seconds={CreateDate} absent={accessTexts.unknown} /> },
      ]}
      parts={() => [
        { id: 'members', label: accessTexts.groups.members, content: <Members groupName={name} /> },
        { id: 'permissions', label: accessTexts.permissions.title, content: <Permissions holder={{ kind: 'group', name }} /> },
      ]}
    >
      {open === 'rename' && <Rename kind="group" name={name} onClose={close} />}
      {open === 'delete' && (
        <ConfirmDelete
          kind={accessTexts.kinds.group}
          name={name}
          consequences={accessTexts.remove.group}
          onDelete={() => deleteGroup(name)}
          onDone={() => navigate(accessPaths.groups)}
          onClose={close}
        />
      )}
    </Details>
  );
}
