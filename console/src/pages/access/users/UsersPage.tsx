/** All users. */

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { accessTexts } from '../../../texts/access.ts';
import type { Column } from '../../../ui/table/Listing.tsx';
import { users } from '../iam.ts';
import { HolderList } from '../parts/HolderList.tsx';
import { Time } from '../parts/Time.tsx';

const LAST_SIGN_IN: Column<iam.User> = {
  id: 'lastSignIn',
  header: accessTexts.lastSignIn,
  sortBy: ({ PasswordLastUsed = 0 }) => PasswordLastUsed,
  cell: ({ PasswordLastUsed }) => <Time seconds={PasswordLastUsed} absent={accessTexts.never} />,
};

export default function UsersPage() {
  return (
    <HolderList
      kind="user"
      list={users}
      nameOf={({ UserName }) => UserName}
      columns={[LAST_SIGN_IN]}
      create={(UserName, Path) => call(iam.CreateUser, { UserName, Path })}
    />
  );
}
