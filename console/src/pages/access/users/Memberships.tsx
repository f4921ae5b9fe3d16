/** The groups of a user. */

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
import { groups, groupsOf } from '../iam.ts';
import { ChooseModal } from '../../../ui/forms/ChooseModal.tsx';
import { Listing, type Column } from '../../../ui/table/Listing.tsx';
import { reported } from '../../../ui/forms/reported.ts';
import { holderPath } from '../paths.ts';

const texts = accessTexts.memberships;

const NAME: Column<iam.Group> = {
  id: 'name',
  header: accessTexts.name,
  isRowHeader: true,
  sortBy: ({ GroupName }) => GroupName,
  cell: ({ GroupName }) => <Link href={href(holderPath({ kind: 'group', name: GroupName }))}>{visibleLine(GroupName)}</Link>,
};

export function Memberships({ userName }: { readonly userName: string }) {
  const own = useResource((signal) => groupsOf(userName, signal), [userName]);
  const [isAdding, setIsAdding] = useState(false);
  const leave = async ({ GroupName }: iam.Group) => {
    await reported(call(iam.RemoveUserFromGroup, { UserName: userName, GroupName }));
    own.reload();
  };
  return (
    <>
      <Listing
        title={texts.title}
        things={accessTexts.groups.things}
        variant="container"
        resource={own}
        keyOf={({ GroupName }) => GroupName}
        textOf={({ GroupName }) => GroupName}
        columns={[
          NAME,
          {
            id: 'actions',
            header: partTexts.list.actions,
            cell: (group) => (
              <Button
                variant="inline-link"
                ariaLabel={`${texts.remove} ${visibleLine(group.GroupName)}`}
                onClick={() => void leave(group)}
              >
                {texts.remove}
              </Button>
            ),
          },
        ]}
        empty={{ title: texts.empty, body: texts.emptyBody }}
        actions={<Button onClick={() => setIsAdding(true)}>{texts.add}</Button>}
      />
      {isAdding && own.value && (
        <AddToGroups userName={userName} own={own.value} onDone={own.reload} onClose={() => setIsAdding(false)} />
      )}
    </>
  );
}

interface AddProps {
  readonly userName: string;
  readonly own: readonly iam.Group[];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function AddToGroups({ userName, own, onDone, onClose }: AddProps) {
  const others = useResource(
    async (signal) => {
      const there = new Set(own.map(({ GroupId }) => GroupId));
      return (await groups(signal)).filter(({ GroupId }) => !there.has(GroupId));
    },
    [userName],
  );
  return (
    <ChooseModal<iam.Group>
      title={texts.choose}
      listTitle={accessTexts.groups.title}
      things={accessTexts.groups.things}
      submitText={texts.add}
      noOthers={texts.noOthers}
      resource={others}
      keyOf={({ GroupName }) => GroupName}
      textOf={({ GroupName }) => GroupName}
      columns={[{ ...NAME, cell: ({ GroupName }) => visibleLine(GroupName) }]}
      onChosen={async ({ GroupName }) => void (await call(iam.AddUserToGroup, { UserName: userName, GroupName }))}
      onDone={onDone}
      onClose={onClose}
    />
  );
}
