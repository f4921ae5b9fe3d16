/** The users in a group. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { membersOf, users } from '../iam.ts';
import { ChooseModal } from '../../../ui/forms/ChooseModal.tsx';
import { Listing, type Column } from '../../../ui/table/Listing.tsx';
import { reported } from '../../../ui/forms/reported.ts';
import { holderPath } from '../paths.ts';

const texts = accessTexts.groups;

const NAME: Column<iam.User> = {
  id: 'name',
  header: accessTexts.name,
  isRowHeader: true,
  sortBy: ({ UserName }) => UserName,
  cell: ({ UserName }) => <Link href={href(holderPath({ kind: 'user', name: UserName }))}>{visibleLine(UserName)}</Link>,
};

export function Members({ groupName }: { readonly groupName: string }) {
  const members = useResource((signal) => membersOf(groupName, signal), [groupName]);
  const [isAdding, setIsAdding] = useState(false);
  const remove = async ({ UserName }: iam.User) => {
    await reported(call(iam.RemoveUserFromGroup, { UserName, GroupName: groupName }));
    members.reload();
  };
  return (
    <>
      <Listing
        title={texts.members}
        things={texts.membersThings}
        variant="container"
        resource={members}
        keyOf={({ UserName }) => UserName}
        textOf={({ UserName }) => UserName}
        columns={[
          NAME,
          {
            id: 'actions',
            header: partTexts.list.actions,
            cell: (user) => (
              <Button
                variant="inline-link"
                ariaLabel={`${texts.removeMember}: ${visibleLine(user.UserName)}`}
                onClick={() => void remove(user)}
              >
                {texts.removeMember}
              </Button>
            ),
          },
        ]}
        empty={{ title: texts.noMembers, body: texts.noMembersBody }}
        actions={<Button onClick={() => setIsAdding(true)}>{texts.addMembers}</Button>}
      />
      {isAdding && members.value && (
        <AddMembers groupName={groupName} members={members.value} onDone={members.reload} onClose={() => setIsAdding(false)} />
      )}
    </>
  );
}

interface AddProps {
  readonly groupName: string;
  readonly members: readonly iam.User[];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function AddMembers({ groupName, members, onDone, onClose }: AddProps) {
  const others = useResource(
    async (signal) => {
      const there = new Set(members.map(({ UserId }) => UserId));
      return (await users(signal)).filter(({ UserId }) => !there.has(UserId));
    },
    [groupName],
  );
  return (
    <ChooseModal<iam.User>
      title={texts.chooseUsers}
      listTitle={accessTexts.users.title}
      things={accessTexts.users.things}
      submitText={texts.addMembers}
      noOthers={texts.noOthers}
      resource={others}
      keyOf={({ UserName }) => UserName}
      textOf={({ UserName }) => UserName}
      columns={[{ ...NAME, cell: ({ UserName }) => visibleLine(UserName) }]}
      onChosen={async ({ UserName }) => void (await call(iam.AddUserToGroup, { UserName, GroupName: groupName }))}
      onDone={onDone}
      onClose={onClose}
    />
  );
}
